import type { Check } from './check.ts';

/** Without a name of its own a service cannot be told from others; SDKs then write `unknown_service`. */
export const findUnnamedServices: Check = (scene) => {
  const unnamed = scene.graph.spans.filter(
    (span) => span.serviceName === null || /^unknown_service(:|$)/.test(span.serviceName),
  );
  const first = unnamed[0];
  if (first === undefined) return [];
  return [
    {
      id: 'service-unnamed',
      severity: 'warning',
      client: null,
      server: first.serviceName,
      protocol: 'internal',
      shown: unnamed.map((server) => ({
        client: null,
        server,
        says: server.serviceName === null ? 'no service.name' : `service.name is ${server.serviceName}`,
      })),
    },
  ];
};
