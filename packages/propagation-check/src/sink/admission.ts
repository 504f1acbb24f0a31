import { rpcCode } from '../source/otlp-response.ts';
import { createTurns, type InTurn, RefusedRequest } from '../source/request-body.ts';

/**
 * Why exports are refused. `memory`: no room for spans. `backlog`: the wait would be too long. `bodies`: too many requests arrive at once.
 * `invalid`: the export cannot be read. `fault`: a defect of this tool.
 */
const refusalReasons = ['memory', 'backlog', 'bodies', 'invalid', 'fault'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** The longest wait of an export for its answer. The Collector's exporters give up after 5 s, and repeat the export. */
const longestWaitMs = 2_000;
/** The rate is measured over about this much of the latest work. */
const rateMs = 10_000;
/** With less measured work the rate is unknown. */
const leastWorkMs = 100;
/** `Retry-After` when the memory is full or too many traces wait: some traces are judged within this time. */
const retrySeconds = 2;

/** Refuses an export for now, so that the client repeats it. */
class Overload extends RefusedRequest {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, retryAfterSeconds: number) {
    super(503, rpcCode.resourceExhausted, message, { 'retry-after': String(retryAfterSeconds) });
    this.reason = reason;
  }
}

function refuseForMemory(): RefusedRequest {
  return new Overload('memory', 'the memory for spans is full; try again', retrySeconds);
}

export function reasonOf(refusal: RefusedRequest): RefusalReason {
  if (refusal instanceof Overload) return refusal.reason;
  if (refusal.status === 500) return 'fault';
  return refusal.status === 503 ? 'bodies' : 'invalid';
}

/** Decides whether another export can be accepted, by the number of waiting exports and the time that recent ones took. */
export class Admission {
  readonly #hasRoom: () => boolean;
  readonly #isBehind: () => boolean;
  readonly #turns = createTurns();
  /** The arrival times of the waiting exports, in order. */
  readonly #waiting: number[] = [];
  #workMs = 0;
  #works = 0;

  /** @param hasRoom Whether there is memory for spans. @param isBehind Whether too many traces wait to be judged. */
  constructor(hasRoom: () => boolean, isBehind: () => boolean) {
    this.#hasRoom = hasRoom;
    this.#isBehind = isBehind;
  }

  /** How long the first export has waited for its turn, in milliseconds. */
  get waitedMs(): number {
    const [first] = this.#waiting;
    return first === undefined ? 0 : performance.now() - first;
  }

  /** Runs the work of exports one after the other, and measures it. Used by `Receiving`. */
  readonly inTurn: InTurn = (work) => {
    this.#waiting.push(performance.now());
    return this.#turns(async () => {
      const begunAt = performance.now();
      try {
        return await work();
      } finally {
        this.#waiting.shift();
        this.addWork(performance.now() - begunAt);
        this.#works += 1;
      }
    });
  };

  /** Adds the time of other work than exports. */
  addWork(milliseconds: number): void {
    this.#workMs += milliseconds;
    if (this.#workMs < rateMs) return;
    this.#workMs /= 2;
    this.#works /= 2;
  }

  /** @throws {RefusedRequest} when no export can be accepted now. */
  admit(): void {
    const refusal = this.findObstacle();
    if (refusal !== null) throw refusal;
  }

  /** Checks the memory again when an admitted export begins: other exports may have used it. @throws {RefusedRequest} when it is full. */
  checkRoom(): void {
    if (!this.#hasRoom()) throw refuseForMemory();
  }

  /** The reason why no export can be accepted now, or null. */
  findObstacle(): RefusedRequest | null {
    if (!this.#hasRoom()) return refuseForMemory();
    if (this.#isBehind()) return new Overload('backlog', 'too many traces wait; try again', retrySeconds);
    const isKnown = this.#workMs >= leastWorkMs && this.#works > 0;
    const expectedMs = isKnown ? this.#waiting.length * (this.#workMs / this.#works) : 0;
    const waitMs = Math.max(expectedMs, this.waitedMs);
    if (waitMs <= longestWaitMs) return null;
    return new Overload('backlog', 'too many exports wait; try again', Math.ceil(waitMs / 1_000));
  }
}
