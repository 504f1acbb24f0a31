import type { CollectorCounters, Counters, ServiceCounters } from './counters.ts';

/** What became of the spans between two readings of the counters. */
export interface Account {
  readonly serviceA: ServiceCounters;
  readonly serviceB: ServiceCounters;
  readonly collector: CollectorCounters;
  /** In the trace store, in the traces of the requests that were sent in between. */
  readonly found: number;
  readonly sums: readonly Sum[];
}

export interface Sum {
  readonly says: string;
  readonly left: number;
  readonly right: number;
  /** What it means when they differ. */
  readonly otherwise: string;
}

/** A process has started anew in between, and its counters with it. */
export class RestartError extends Error {
  override readonly name = 'RestartError';
}

/**
 * Compares what each hop says. Pure.
 * @throws {RestartError} where a counter has become less.
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
      {
        says: 'nothing dropped, given up or still queued',
        left: countUndelivered(serviceA) + countUndelivered(serviceB) + collector.failed + collector.queued,
        right: 0,
        otherwise: 'The logs of the hop say why, and what is lost.',
      },
      {
        says: 'exported by the services = accepted by the Collector',
        left: exported,
        right: collector.accepted,
        otherwise:
          'More accepted: batches were sent again after an answer was lost. Fewer: another receiver has them.',
      },
      {
        says: 'accepted = sent + given up + queued',
        left: before.collector.queued + collector.accepted,
        right: collector.sent + collector.failed + collector.queued,
        otherwise: 'More sent: batches were sent again after an answer was lost.',
      },
      {
        says: 'finished by the services = found for these requests',
        left: serviceA.finished + serviceB.finished,
        right: found,
        otherwise: 'More finished: somebody else sent requests too, or spans are missing.',
      },
    ],
  };
}

export function isBalanced({ sums }: Account): boolean {
  return sums.every(({ left, right }) => left === right);
}

function countUndelivered({ dropped, queued }: ServiceCounters): number {
  return dropped + queued;
}

function balanceService(name: string, before: ServiceCounters, change: ServiceCounters): Sum {
  return {
    says: `${name}: finished + restored = exported + dropped + queued`,
    left: before.queued + change.finished + change.restored,
    right: change.exported + change.dropped + change.queued,
    otherwise: 'Spans are lost where nobody counts: please report it.',
  };
}

/** What is counted is the difference; what is queued is as it is now. */
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
