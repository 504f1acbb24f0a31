import { ownServiceName } from '../calls/own-service.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { suggestInstead, suggestName } from '../util/suggest-name.ts';
import type { BaseScene } from './scene.ts';

type Known = Pick<BaseScene, 'services' | 'expectation'>;

/** Similar names among the services that have spans and that the expectation does not name; null if there is none. */
export function suggestService(known: Known, service: string): string | null {
  return suggestOther(service, listOthers(known, service));
}

/** The same, among these names. */
export function suggestOther(service: string, others: readonly string[]): string | null {
  return suggestInstead(service, withoutSiblings(service, others));
}

/** Whether the name is a slip: one that is a part of another is as often that of a second service. */
export function isSlip(known: Known, service: string): boolean {
  return isSlipOfOther(service, listOthers(known, service));
}

/** The same, among these names. */
export function isSlipOfOther(service: string, others: readonly string[]): boolean {
  return findMeant(service, others) !== null;
}

/** The one of these names of which the service is a slip; null where it is none. */
export function findMeant(service: string, others: readonly string[]): string | null {
  return suggestName(service, withoutSiblings(service, others));
}

/** The services that may be meant by a name without spans. */
export function listOthers({ services, expectation }: Known, service: string): readonly string[] {
  return services.has(service) ? [] : listUnnamed(services.names(), expectation.edges);
}

/** Those of some services that no expected edge names. */
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
