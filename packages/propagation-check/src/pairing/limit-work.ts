import type { Span } from '../span/span.ts';
import { bounds } from './bounds.ts';

/** The first `most` spans that fit, among the first `looks`. */
export function takeFitting(
  spans: Iterable<Span>,
  looks: number,
  most: number,
  fits: (span: Span) => boolean,
): readonly Span[] {
  const found: Span[] = [];
  let left = looks;
  for (const span of spans) {
    if (fits(span)) found.push(span);
    left -= 1;
    if (found.length >= most || left <= 0) break;
  }
  return found;
}

/** The first servers, as many as the bound on comparisons allows for each client. */
export function limitComparisons(clients: readonly Span[], servers: readonly Span[]): readonly Span[] {
  const each = Math.floor(bounds.plainComparisons / Math.max(1, clients.length));
  return servers.slice(0, Math.max(bounds.fewestPlainComparisons, each));
}

/** How many clients each server may be compared with. */
export function shareComparisons(servers: number): number {
  return Math.max(bounds.fewestComparisons, Math.floor(bounds.comparisons / Math.max(1, servers)));
}
