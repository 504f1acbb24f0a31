import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';

const lost: readonly FindingId[] = ['server-span-lost', 'client-span-lost'];

/**
 * A Collector that gave up spans makes lost telemetry the likelier cause wherever spans are missing. One that lost
 * none excludes nothing: the services' own exporters may have.
 */
export function rankByPipeline(draft: Draft, counters: CollectorCounters | null): Draft {
  if (draft.candidates === undefined || counters === null) return draft;
  if (counters.sendFailed + counters.enqueueFailed === 0) return draft;
  const byLoss = (cause: FindingId): number => (lost.includes(cause) ? 0 : 1);
  return { ...draft, candidates: draft.candidates.toSorted((one, other) => byLoss(one) - byLoss(other)) };
}
