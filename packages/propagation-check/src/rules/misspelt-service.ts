import { suggestInstead } from '../util/suggest-name.ts';
import type { SceneFacts } from './check.ts';

/** `did you mean web instead of wbe?` of an expected service without spans; null where no service is called nearly so, or only expected ones. */
export function suggestService(
  { services, expectation }: Pick<SceneFacts, 'services' | 'expectation'>,
  service: string,
): string | null {
  if (services.has(service)) return null;
  const named = new Set<string | null>(expectation.edges.flatMap(({ client, server }) => [client, server]));
  return suggestInstead(
    service,
    services.names().flatMap((name) => (name === null || named.has(name) ? [] : name)),
  );
}
