import type { Span } from '../span/span.ts';
import { listServiceNames } from '../span/span-store.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { isUnnamed } from './expected-calls.ts';
import { rule } from './rule.ts';

export const finding = defineFinding('service-unnamed', {
  kind: 'warning',
  isConclusive: true,
  cut: 'nowhere',
  shows: '`service.name` is missing or `unknown_service`',
  title: 'A service has no name',
  why: 'Without service.name its spans cannot be distinguished from those of other services.',
  fix: 'Set OTEL_SERVICE_NAME (or service.name in OTEL_RESOURCE_ATTRIBUTES).',
});

export const unnamedServices = rule<Group<Span>>({
  finding,
  measure: ({ graph }) => {
    const services = new Set(listServiceNames(graph.store));
    const unnamed = [...services].filter(isUnnamed);
    return groupBy(
      graph.viewsOf(unnamed.flatMap((service) => [...graph.rowsOfService(service)])),
      ({ serviceName }) => keyFor(serviceName),
    );
  },
  report: (spans) =>
    finding.report({
      client: null,
      server: spans[0].serviceName,
      protocol: 'internal',
      shown: spans.map((server) => ({
        client: null,
        server,
        says: server.serviceName === null ? 'no service.name' : `service.name is ${server.serviceName}`,
      })),
    }),
});
