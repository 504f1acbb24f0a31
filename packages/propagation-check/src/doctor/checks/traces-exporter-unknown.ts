import type { DoctorCheck } from '../check.ts';
import { isDisabled } from '../environment.ts';
import { findSilent } from '../find-silent.ts';
import { describeUnknown, guessName } from '../guess-name.ts';
import { exporterNames, splitNames } from '../otel-names.ts';

/** Names that people write instead. */
const mistaken: ReadonlyMap<string, string> = new Map([
  ...['otel', 'http', 'grpc', 'http/protobuf', 'http/json', 'otlphttp', 'otlpgrpc', 'otlp/http', 'otlp/grpc']
    .concat(['otlp-http', 'otlp-grpc', 'otlp_http', 'otlp_grpc', 'collector'])
    .map((name) => [name, 'otlp'] as const),
  ['stdout', 'console'],
  ['off', 'none'],
  ['false', 'none'],
  ['disabled', 'none'],
]);

export const tracesExporterUnknown: DoctorCheck = {
  id: 'traces-exporter-unknown',
  severity: 'error',
  title: 'OTEL_TRACES_EXPORTER has a name that no SDK knows',
  why: 'JavaScript warns and leaves an unknown name out; where no other name is left it makes no spans. Java and Python do not start their SDK.',
  fix: 'Write names of the specification, separated by commas: otlp, zipkin, console, none. The protocol of `otlp` is the value of OTEL_EXPORTER_OTLP_PROTOCOL.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_TRACES_EXPORTER: otlp\n  OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf',
  },
  leadsTo: ['client-span-lost', 'server-span-lost', 'server-not-instrumented', 'client-not-instrumented'],
  find: (project) =>
    findSilent(project, 'OTEL_TRACES_EXPORTER', ({ value }, environment) => {
      const names = splitNames(value);
      const unknown = names.filter((name) => !exporterNames.includes(name.toLowerCase()));
      const [name] = unknown;
      if (name === undefined || isDisabled(environment)) return null;
      const meant = guessName(name, exporterNames, mistaken);
      return {
        // The JavaScript SDK uses the other exporters of the list.
        isUnsure: meant === null || unknown.length < names.length,
        says: `OTEL_TRACES_EXPORTER has "${name}", which is ${describeUnknown('exporter', meant)}`,
      };
    }),
};
