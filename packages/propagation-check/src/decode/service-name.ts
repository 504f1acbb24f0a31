import type { Attributes } from '../span/span.ts';

/** Jaeger writes these where `service.name` was missing or empty. */
const placeholders: ReadonlySet<AttributeText> = new Set([
  '',
  'missing-service-name',
  'empty-service-name',
  'OTLPResourceNoServiceName',
]);

type AttributeText = string;

/** Resource attribute `service.name`, or null where it is missing, empty or a placeholder of a storage. */
export function readServiceName(resource: Attributes): string | null {
  const name = resource.get('service.name');
  return typeof name === 'string' && !placeholders.has(name) ? name : null;
}
