import type { DoctorCheck } from '../check.ts';
import { readVariable } from '../environment.ts';
import { describeUnknown, guessName } from '../guess-name.ts';
import { propagatorFormats, splitNames } from '../otel-names.ts';

/** Names that people write instead. */
const mistaken: ReadonlyMap<string, string> = new Map([
  ['w3c', 'tracecontext'],
  ['traceparent', 'tracecontext'],
  ['trace-context', 'tracecontext'],
  ['trace_context', 'tracecontext'],
  ['w3c-tracecontext', 'tracecontext'],
  ['tracestate', 'tracecontext'],
  ['zipkin', 'b3'],
  ['b3single', 'b3'],
  ['b3-multi', 'b3multi'],
  ['aws', 'xray'],
]);

export const propagatorsUnknown: DoctorCheck = {
  id: 'propagators-unknown',
  severity: 'error',
  title: 'OTEL_PROPAGATORS has a name that no SDK knows',
  why: 'SDKs warn and leave an unknown name out, or do not start (Java, Python). Where no other name is left, no header is sent.',
  fix: 'Write the names of the specification, separated by commas: tracecontext, baggage, b3, b3multi, jaeger, xray, ottrace.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_PROPAGATORS: tracecontext,baggage,b3' },
  leadsTo: ['header-not-sent', 'header-ignored', 'format-mismatch'],
  find: ({ environments }) =>
    environments.flatMap((environment) => {
      const setting = readVariable(environment, 'OTEL_PROPAGATORS');
      if (setting === null) return [];
      return [...new Set(splitNames(setting.value))]
        .filter((name) => name !== 'none' && !propagatorFormats.has(name))
        .map((name) => {
          const meant = guess(name);
          return {
            place: setting.place,
            service: environment.service,
            says: `"${name}" is ${describeUnknown('propagator', meant)}`,
            isUnsure: meant === null,
          };
        });
    }),
};

/** Null where the name may be a custom propagator. */
function guess(name: string): string | null {
  // Names are separated by commas, and in lower case.
  if (/[\s;|+]/.test(name)) return `"${name.split(/[\s;|+]+/).join(',')}"`;
  return guessName(name, [...propagatorFormats.keys()], mistaken);
}
