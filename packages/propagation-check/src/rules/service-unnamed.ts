import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, isUnnamed } from './check.ts';

/** Without a name of its own a service cannot be told from others. */
export const findUnnamedServices: Check = (scene) => {
  const services = new Set(scene.graph.store.resourceTable.map(({ serviceName }) => serviceName));
  const unnamed = scene.graph.viewsOf(
    [...services].filter(isUnnamed).flatMap((service) => [...scene.graph.rowsOfService(service)]),
  );
  return groupBy(unnamed, (span) => keyFor(span.serviceName)).map((spans) => ({
    id: 'service-unnamed',
    severity: 'warning',
    client: null,
    server: spans[0]?.serviceName ?? null,
    protocol: 'internal',
    shown: spans.map((server) => ({
      client: null,
      server,
      says: server.serviceName === null ? 'no service.name' : `service.name is ${server.serviceName}`,
    })),
  }));
};
