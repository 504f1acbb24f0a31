import type { DoctorCheck } from '../check.ts';
import { isDisabled } from '../environment.ts';
import { findSilent } from '../find-silent.ts';
import { describeUnknown, guessName } from '../guess-name.ts';
import { samplerNames } from '../otel-names.ts';

/** Names that people write instead. */
const mistaken: ReadonlyMap<string, string> = new Map([
  ['on', 'always_on'],
  ['always', 'always_on'],
  ['off', 'always_off'],
  ['never', 'always_off'],
  ['ratio', 'parentbased_traceidratio'],
  ['probability', 'parentbased_traceidratio'],
  ['probabilistic', 'parentbased_traceidratio'],
  ['traceidratiobased', 'traceidratio'],
  ['trace_id_ratio_based', 'traceidratio'],
  ['parentbased', 'parentbased_always_on'],
  ['parentbased_ratio', 'parentbased_traceidratio'],
]);

export const samplerUnknown: DoctorCheck = {
  id: 'sampler-unknown',
  severity: 'warning',
  title: 'OTEL_TRACES_SAMPLER has a name that no SDK knows',
  why: 'SDKs warn and use the default, `parentbased_always_on`: they sample every trace that begins in the service. Java does not start its SDK, so the service makes no spans and sends no header.',
  fix: 'Write one name of the specification: always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio, jaeger_remote, parentbased_jaeger_remote, xray. A ratio is the value of OTEL_TRACES_SAMPLER_ARG.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_TRACES_SAMPLER: parentbased_traceidratio\n  OTEL_TRACES_SAMPLER_ARG: "0.1"',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: (project) =>
    findSilent(project, 'OTEL_TRACES_SAMPLER', ({ value }, environment) => {
      const name = value.trim();
      if (name === '' || samplerNames.includes(name) || isDisabled(environment)) return null;
      return describe(name);
    }),
};

function describe(name: string) {
  if (samplerNames.includes(name.toLowerCase()))
    return {
      isUnsure: true,
      says: `OTEL_TRACES_SAMPLER is "${name}": SDKs of Java and JavaScript know it in lower case alone`,
    };
  const meant = guess(name);
  return {
    isUnsure: meant === null,
    says: `OTEL_TRACES_SAMPLER is "${name}", which is ${describeUnknown('sampler', meant)}`,
  };
}

/** Null where the name may be a custom sampler. */
function guess(name: string): string | null {
  // The ratio belongs into OTEL_TRACES_SAMPLER_ARG.
  const [, before = '', ratio] = /^(\w*?)[\s:=,;(/]*(\d*\.?\d+)\)?%?$/.exec(name) ?? [];
  if (ratio === undefined) return guessName(name, samplerNames, mistaken);
  const sampler = before === '' ? 'parentbased_traceidratio' : guessName(before, samplerNames, mistaken);
  return sampler === null ? null : `${sampler} with ${ratio} in OTEL_TRACES_SAMPLER_ARG`;
}
