import { ownServiceName } from '../calls/own-service.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { suggestInstead, suggestName } from '../util/suggest-name.ts';
import type { BaseScene } from './scene.ts';

type Known = Pick<BaseScene, 'services' | 'expectation'>;

/** Suggests services with a similar name that have spans and that no expectation names; null if there is none. */
export function suggestService(known: Known, service: string): string | null {
  return suggestOther(service, listOthers(known, service));
}

export function suggestOther(service: string, others: readonly string[]): string | null {
  return suggestInstead(service, withoutSiblings(service, others));
}

/** Whether the name is a typing error. A name that only contains another name counts as a second service. */
export function isSlip(known: Known, service: string): boolean {
  return isSlipOfOther(service, listOthers(known, service));
}

export function isSlipOfOther(service: string, others: readonly string[]): boolean {
  return findMeant(service, others) !== null;
}

/** The name that `service` misspells; null if none. */
export function findMeant(service: string, others: readonly string[]): string | null {
  return suggestName(service, withoutSiblings(service, others));
}

/** The services that a name without spans may mean. */
export function listOthers({ services, expectation }: Known, service: string): readonly string[] {
  return services.has(service) ? [] : listUnnamed(services.names(), expectation.edges);
}

/** The services that no expected edge names. */
export function listUnnamed(
  services: Iterable<string | null>,
  expected: readonly Pick<ExpectedEdge, 'client' | 'server'>[],
): readonly string[] {
  const named = new Set<string | null>([
    ownServiceName,
    ...expected.flatMap(({ client, server }) => [client, server]),
  ]);
  return [...services].filter((name) => name !== null).filter((name) => !named.has(name));
}

function withoutSiblings(service: string, others: readonly string[]): readonly string[] {
  return others.filter((name) => !areSiblings(name, service));
}

/** `service-a` and `service-b`, `cart-v1` and `cart-v2` are two services, not a typing error. */
function areSiblings(one: string, other: string): boolean {
  return spell(one) !== spell(other) && cutOrdinal(one) === cutOrdinal(other);
}

/** People confuse upper and lower case, and separators. */
function spell(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]/g, '-');
}

function cutOrdinal(name: string): string {
  return name.replace(/(?:[-_.](?:[a-z]|v?\d+)|\d+)$/i, '');
}
