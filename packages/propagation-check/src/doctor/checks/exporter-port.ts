import type { DoctorCheck, Observation } from '../check.ts';
import { type Environment, readVariable } from '../environment.ts';
import type { Project } from '../project.ts';

const grpcPort = '4317';
const httpPort = '4318';

export const exporterPort: DoctorCheck = {
  id: 'exporter-port',
  severity: 'error',
  title: 'The OTLP endpoint and its protocol do not fit',
  why: 'Collectors take gRPC on port 4317 and HTTP on 4318. With the other protocol every export fails: the spans of this service are missing, so its callees look like roots.',
  fix: 'Use port 4317 with `grpc`, and port 4318 with `http/protobuf` or `http/json`.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318\n  OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf',
  },
  leadsTo: ['client-span-lost', 'server-span-lost'],
  find: (project) => {
    const others = ownPorts(project);
    return project.environments.flatMap((environment) => judge(environment, others));
  },
};

function judge(environment: Environment, others: ReadonlySet<string>): readonly Observation[] {
  const read = (name: string) => readVariable(environment, name);
  const protocol = read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? read('OTEL_EXPORTER_OTLP_PROTOCOL');
  const endpoint = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const port = /:(\d+)(?:\/|$)/.exec(endpoint?.value ?? '')?.[1];
  if (protocol === null || endpoint === null || port === undefined) return [];
  const isWrong =
    (port === grpcPort && protocol.value.startsWith('http/')) ||
    (port === httpPort && protocol.value === 'grpc');
  if (!isWrong || others.has(port)) return [];
  return [
    {
      place: endpoint.place,
      service: environment.service,
      says: `the endpoint is "${endpoint.value}" and the protocol "${protocol.value}"`,
    },
  ];
}

/** The default OTLP ports that a Collector of the project uses for the other protocol. */
function ownPorts({ yaml }: Project): ReadonlySet<string> {
  return new Set(
    yaml.flatMap(({ root }) => {
      const protocols = root.get('receivers', 'otlp', 'protocols');
      const grpc = protocols?.get('grpc', 'endpoint')?.text ?? '';
      const http = protocols?.get('http', 'endpoint')?.text ?? '';
      return [...(grpc.endsWith(':4318') ? ['4318'] : []), ...(http.endsWith(':4317') ? ['4317'] : [])];
    }),
  );
}
