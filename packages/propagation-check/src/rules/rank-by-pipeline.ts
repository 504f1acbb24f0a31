import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';

const lost: readonly FindingId[] = ['server-span-lost', 'client-span-lost'];

/**
 * If the Collector dropped spans, lost telemetry is the likelier cause for missing spans. If it dropped none, nothing is excluded: the
 * exporters of the services may have lost spans.
 */
export function rankByPipeline(draft: Draft, counters: CollectorCounters | null): Draft {
  if (draft.candidates === undefined || counters === null) return draft;
  if (counters.sendFailed + counters.enqueueFailed === 0) return draft;
  const byLoss = (cause: FindingId): number => (lost.includes(cause) ? 0 : 1);
  return { ...draft, candidates: draft.candidates.toSorted((one, other) => byLoss(one) - byLoss(other)) };
}
