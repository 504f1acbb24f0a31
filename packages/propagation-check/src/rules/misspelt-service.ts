import { suggestInstead } from '../util/suggest-name.ts';
import type { BaseScene } from './check.ts';

/** A similar name among the services that have spans and that the expectation does not name; null if there is none. */
export function suggestService(
  { services, expectation }: Pick<BaseScene, 'services' | 'expectation'>,
  service: string,
): string | null {
  if (services.has(service)) return null;
  const named = new Set<string | null>(expectation.edges.flatMap(({ client, server }) => [client, server]));
  return suggestOther(
    service,
    services.names().flatMap((name) => (name === null || named.has(name) ? [] : name)),
  );
}

/** The same, among these names. */
export function suggestOther(service: string, others: readonly string[]): string | null {
  return suggestInstead(
    service,
    others.filter((name) => !areSiblings(name, service)),
  );
}

/** `service-a` and `service-b`, `cart-v1` and `cart-v2`: two services, and no slip. */
function areSiblings(one: string, other: string): boolean {
  return spell(one) !== spell(other) && cutOrdinal(one) === cutOrdinal(other);
}

/** People mix up cases and separators. */
function spell(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]/g, '-');
}

function cutOrdinal(name: string): string {
  return name.replace(/(?:[-_.](?:[a-z]|v?\d+)|\d+)$/i, '');
}
