import { nameCall } from '../calls/name-call.ts';
import type { FindingId } from '../rules/finding.ts';
import { countOf } from '../util/count-of.ts';
import type { Finding } from '../verdict/result.ts';

/** Findings about spans that may be of no call. */
const ofSpans: readonly FindingId[] = ['service-unnamed', 'span-lost-in-service'];

export function describeCount(finding: Finding): string {
  return finding.count === 0 ? 'never seen' : countOf(finding.count, nameCounted(finding));
}

export function nameCounted({ id, protocol }: Finding): 'span' | 'call' | 'message' {
  return ofSpans.includes(id) ? 'span' : nameCall({ protocol });
}
