import type { Project } from './project.ts';

/** The default OTLP ports that a Collector of the project uses for the other protocol. */
export function ownPorts({ yaml }: Project): ReadonlySet<string> {
  return new Set(
    yaml.flatMap(({ root }) => {
      const protocols = root.get('receivers', 'otlp', 'protocols');
      const grpc = protocols?.get('grpc', 'endpoint')?.text ?? '';
      const http = protocols?.get('http', 'endpoint')?.text ?? '';
      return [...(grpc.endsWith(':4318') ? ['4318'] : []), ...(http.endsWith(':4317') ? ['4317'] : [])];
    }),
  );
}
