import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, isUnnamed } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('service-unnamed', {
  kind: 'warning',
  isConclusive: true,
  shows: '`service.name` is missing or `unknown_service`',
  title: 'A service has no name',
  why: 'Without service.name its spans cannot be told from those of other services.',
  fix: 'Set OTEL_SERVICE_NAME (or service.name in OTEL_RESOURCE_ATTRIBUTES).',
});

/** Without a name of its own a service cannot be told from others. */
export const findUnnamedServices: Check = (scene) => {
  const services = new Set(scene.graph.store.resourceTable.map(({ serviceName }) => serviceName));
  const unnamed = scene.graph.viewsOf(
    [...services].filter(isUnnamed).flatMap((service) => [...scene.graph.rowsOfService(service)]),
  );
  return groupBy(unnamed, (span) => keyFor(span.serviceName)).map((spans) =>
    finding.report({
      client: null,
      server: spans[0]?.serviceName ?? null,
      protocol: 'internal',
      shown: spans.map((server) => ({
        client: null,
        server,
        says: server.serviceName === null ? 'no service.name' : `service.name is ${server.serviceName}`,
      })),
    }),
  );
};
