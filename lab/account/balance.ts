import type { CollectorCounters, Counters, ServiceCounters } from './counters.ts';

/** The balance of the spans between two readings of the counters. */
export interface Account {
  readonly serviceA: ServiceCounters;
  readonly serviceB: ServiceCounters;
  readonly collector: CollectorCounters;
  /** Spans in the trace store, in the traces of the requests that were sent between the two readings. */
  readonly found: number;
  readonly sums: readonly Sum[];
}

export interface Sum {
  readonly says: string;
  readonly left: number;
  readonly right: number;
  /** Explains the difference and names the next step. Null if both sides are equal. */
  readonly otherwise: string | null;
}

/** A process restarted between the two readings, which reset its counters. */
export class RestartError extends Error {
  override readonly name = 'RestartError';
}

/**
 * Compares the counters of all hops. Pure.
 * @throws {RestartError} when a counter has decreased.
 */
export function balance(before: Counters, after: Counters, found: number): Account {
  const serviceA = subtractService('service-a', before.serviceA, after.serviceA);
  const serviceB = subtractService('service-b', before.serviceB, after.serviceB);
  const collector = subtractCollector(before.collector, after.collector);
  const exported = serviceA.exported + serviceB.exported;
  return {
    serviceA,
    serviceB,
    collector,
    found,
    sums: [
      balanceService('service-a', before.serviceA, serviceA),
      balanceService('service-b', before.serviceB, serviceB),
      balanceUndelivered(serviceA, serviceB, collector),
      compare('exported by the services = accepted by the Collector', exported, collector.accepted, {
        more: `${explainRestart('the Collector')}, or another receiver has them.`,
        fewer: `Batches were sent again after an answer was lost, or somebody else sends spans to the Collector.`,
      }),
      compare(
        'accepted = sent + given up + queued',
        before.collector.queued + collector.accepted,
        collector.sent + collector.failed + collector.queued,
        {
          more: 'Spans are lost in the Collector; its log says why, unless its disk was full.',
          fewer: 'Batches were sent again after an answer of Jaeger was lost.',
        },
      ),
      compare(
        'finished by the services = found for these requests',
        serviceA.finished + serviceB.finished,
        found,
        {
          more: 'Spans are missing in the trace store, or somebody else sent requests too.',
          fewer: `${explainRestart('a service')}, or the trace store has spans twice.`,
        },
      ),
    ],
  };
}

export function isBalanced({ sums }: Account): boolean {
  return sums.every(({ otherwise }) => otherwise === null);
}

/** @param meanings what it means when the left side has more spans than the right side, and when it has fewer */
function compare(
  says: string,
  left: number,
  right: number,
  meanings: { readonly more: string; readonly fewer: string },
): Sum {
  return {
    says,
    left,
    right,
    otherwise: left === right ? null : left > right ? meanings.more : meanings.fewer,
  };
}

function explainRestart(who: string): string {
  return `Perhaps ${who} has started anew, and its counters with it: run this again`;
}

function balanceService(name: string, before: ServiceCounters, change: ServiceCounters): Sum {
  const left = before.queued + change.finished + change.restored;
  const right = change.exported + change.dropped + change.queued;
  return compare(`${name}: finished + restored = exported + dropped + queued`, left, right, {
    more: 'Spans are lost where nobody counts: please report it.',
    fewer: 'Spans are counted twice: please report it.',
  });
}

function balanceUndelivered(a: ServiceCounters, b: ServiceCounters, collector: CollectorCounters): Sum {
  const parts = [
    ['service-a dropped', a.dropped],
    ['service-b dropped', b.dropped],
    ['otel-collector gave up', collector.failed],
    ['service-a still has', a.queued],
    ['service-b still has', b.queued],
    ['otel-collector still has', collector.queued],
  ] as const;
  const undelivered = parts.filter(([, spans]) => spans > 0).map(([who, spans]) => `${who} ${spans}`);
  const left = parts.reduce((sum, [, spans]) => sum + spans, 0);
  return compare('nothing dropped, given up or still queued', left, 0, {
    more: `${undelivered.join(', ')}. The log of the hop, or of the next one, says why.`,
    fewer: 'A queue is shorter than empty: please report it.',
  });
}

/** Counters are the difference of the two readings; the queue length is that of the second reading. */
function subtractService(name: string, before: ServiceCounters, after: ServiceCounters): ServiceCounters {
  return {
    finished: subtract(name, before.finished, after.finished),
    restored: subtract(name, before.restored, after.restored),
    exported: subtract(name, before.exported, after.exported),
    dropped: subtract(name, before.dropped, after.dropped),
    queued: after.queued,
  };
}

function subtractCollector(before: CollectorCounters, after: CollectorCounters): CollectorCounters {
  const name = 'otel-collector';
  return {
    accepted: subtract(name, before.accepted, after.accepted),
    refused: subtract(name, before.refused, after.refused),
    sent: subtract(name, before.sent, after.sent),
    failed: subtract(name, before.failed, after.failed),
    queued: after.queued,
  };
}

function subtract(name: string, before: number, after: number): number {
  if (after >= before) return after - before;
  throw new RestartError(`${name} has started anew while its spans were counted; run this again`);
}
