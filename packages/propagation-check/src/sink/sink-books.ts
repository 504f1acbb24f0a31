import type { RefusalReason } from './admission.ts';
import { EdgeCounters } from './edge-counters.ts';
import { noTotals } from './judge-totals.ts';
import type { Snapshot } from './snapshot.ts';
import { TraceJudge } from './trace-judge.ts';

export interface SinkBooksOptions {
  readonly closeAfterMs: number;
  readonly maxBytes: number;
  readonly maxEdges: number;
  readonly onFault: (error: unknown) => void;
}

/** The counters of a sink, and the judge that counts. */
export class SinkBooks {
  readonly counters: EdgeCounters;
  readonly judge: TraceJudge;
  readonly exports: { received: number; readonly refused: Record<RefusalReason, number> };
  readonly #lost: number;

  /** @param before The snapshot of an earlier process. */
  constructor({ maxEdges, ...options }: SinkBooksOptions, before: Snapshot | null) {
    const counters = new EdgeCounters(maxEdges);
    counters.restore(before?.edges ?? []);
    this.counters = counters;
    this.judge = new TraceJudge(
      { ...options, count: (call, calls) => counters.count(call, calls) },
      before?.totals ?? noTotals,
    );
    this.exports = before?.exports ?? {
      received: 0,
      refused: { memory: 0, backlog: 0, bodies: 0, invalid: 0, fault: 0 },
    };
    // A process that was stopped has judged all spans that it received; the rest is lost.
    this.#lost = before === null ? 0 : before.totals.received - before.totals.judged;
  }

  /** A copy of all counters: later calls do not change it. */
  takeSnapshot(): Snapshot {
    const { totals } = this.judge;
    return {
      ...structuredClone({ totals, exports: this.exports }),
      ...{ lost: this.#lost, edges: this.counters.list() },
    };
  }
}
