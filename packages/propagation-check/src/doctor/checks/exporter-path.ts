import type { DoctorCheck, Observation } from '../check.ts';
import { type Environment, readVariable } from '../environment.ts';

export const exporterPath: DoctorCheck = {
  id: 'exporter-path',
  severity: 'error',
  title: 'The path of the OTLP endpoint is wrong',
  why: 'SDKs add `/v1/traces` to OTEL_EXPORTER_OTLP_ENDPOINT and use OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is. Otherwise each export is answered with 404, and all spans of the service are missing.',
  fix: 'Write the base address into OTEL_EXPORTER_OTLP_ENDPOINT, or the whole one with /v1/traces into OTEL_EXPORTER_OTLP_TRACES_ENDPOINT.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318' },
  leadsTo: ['client-span-lost', 'server-span-lost'],
  find: (project) =>
    // A program that reads the variable itself may use it without appending a path.
    project.sources.some(({ text }) => /OTEL_EXPORTER_OTLP_(?:TRACES_)?ENDPOINT/.test(text))
      ? []
      : project.environments.flatMap(judge),
};

function judge(environment: Environment): readonly Observation[] {
  const read = (name: string) => readVariable(environment, name);
  const own = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const protocol =
    read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL')?.value ?? read('OTEL_EXPORTER_OTLP_PROTOCOL')?.value ?? null;
  if (protocol === 'grpc') return [];
  if (own === null && base !== null && /\/v1\/traces\/?$/.test(base.value))
    return [
      {
        place: base.place,
        service: environment.service,
        says: `OTEL_EXPORTER_OTLP_ENDPOINT is "${base.value}", so spans go to ${base.value.replace(/\/$/, '')}/v1/traces`,
      },
    ];
  // Without a protocol the exporter may be gRPC, which has no path.
  if (own !== null && protocol !== null && /^https?:\/\/[^/]+\/?$/.test(own.value))
    return [
      {
        place: own.place,
        service: environment.service,
        says: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "${own.value}" without /v1/traces`,
      },
    ];
  return [];
}
