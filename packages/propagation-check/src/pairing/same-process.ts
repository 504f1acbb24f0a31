import type { Span } from '../span/span.ts';
import { clockOf } from './align-clocks.ts';

/** Whether one process may have made both spans. Replicas have one service name, and so may a browser and the server of its page. */
export function mayBeOfOneProcess(one: Span, other: Span): boolean {
  const [language, otherLanguage] = [one, other].map(({ resource }) =>
    resource.get('telemetry.sdk.language'),
  );
  return language === otherLanguage && clockOf(one) === clockOf(other);
}
