interface Waiter {
  readonly wake: () => void;
  readonly fail: (reason: unknown) => void;
}

/** Wakes waiters when something arrives. Arrivals are counted, so that no waiter misses one. */
export class ArrivalSignal {
  readonly #waiters = new Set<Waiter>();
  #revision = 0;
  #closed: Error | null = null;

  /** The number of arrivals. */
  get revision(): number {
    return this.#revision;
  }

  notify(): void {
    this.#revision += 1;
    for (const waiter of this.#waiters) waiter.wake();
    this.#waiters.clear();
  }

  /** Rejects all current and later waits with this reason. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const waiter of this.#waiters) waiter.fail(reason);
    this.#waiters.clear();
  }

  /** Waits until the revision is greater than `since`. Rejects with the signal's reason when the signal is aborted. */
  async waitFor(since: number, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    if (this.#revision > since) return this.#revision;
    if (this.#closed !== null) throw this.#closed;
    let onAbort = () => {};
    try {
      await new Promise<void>((wake, fail) => {
        const waiter: Waiter = { wake, fail };
        this.#waiters.add(waiter);
        onAbort = () => {
          this.#waiters.delete(waiter);
          fail(signal?.reason);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return this.#revision;
  }
}
