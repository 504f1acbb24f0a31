import { setTimeout as delay } from 'node:timers/promises';
import { context, diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, suppressTracing } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { Backlog } from './backlog.ts';
import { type Batch, packSpans, sizeOf } from './batch.ts';
import type { FirstAttempt } from './first-attempt.ts';
import type { Delivered, Outcome, Post } from './post-batch.ts';
import type { Spool } from './spool.ts';

export interface DeliveryOptions {
  /** What it gives up on is kept here, and sent again until it is taken. */
  readonly firstAttempt: FirstAttempt;
  /** Sends a batch that was kept. */
  readonly post: Post;
  /** Where that goes, for messages. */
  readonly url: string;
  /** Memory for what is kept. */
  readonly maxBytes: number;
  /** Without an answer for so long, `forceFlush` gives up. */
  readonly patienceMillis: number;
  /** Where spans outlive the process; null where they don't. */
  readonly spool: Spool | null;
}

/** Spans, since the start. `finished` ones are counted by the processor: those, and `restored`, are all others together. */
export interface DeliveryCounts {
  /** Taken by the receiver. */
  readonly exported: number;
  /** Lost, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Read from spool files. */
  readonly restored: number;
  /** Neither exported nor dropped yet. */
  readonly queued: number;
  /** Memory for those that are kept, in bytes. */
  readonly backlogBytes: number;
}

/**
 * `backlog_full`: the bound was reached. `refused`: the receiver refused their batch for good. `rejected`: it took only the others.
 * `not_encoded`: one of their batch cannot be written as OTLP. `not_saved`: they were undelivered when the service stopped, and could
 * not be written to a spool.
 */
export const dropReasons = ['backlog_full', 'refused', 'rejected', 'not_encoded', 'not_saved'] as const;

export type DropReason = (typeof dropReasons)[number];

/** As many kept batches at a time are sent, once one has got through. */
const maxSending = 8;
const minBackoffMillis = 250;
const maxBackoffMillis = 5_000;
/** Files that another instance has left, or for which there was no room, are looked for so often. */
const restoreMillis = 30_000;

/**
 * Delivers spans at least once, through outages of the receiver and stops of the service, within a bound.
 *
 * It answers the batch processor at once, so that the processor's own queue never fills up.
 */
export class SpanDelivery implements SpanExporter {
  readonly #options: DeliveryOptions;
  readonly #backlog: Backlog;
  /**
   * What is being attempted for the first time, one batch at a time and nothing beside it: where the receiver is away, looking up
   * its name can block a thread for seconds, and the service has four for all its look-ups.
   */
  #firstAttempt: readonly ReadableSpan[] | null = null;
  readonly #sending = new Set<Batch>();
  readonly #stop = new AbortController();
  readonly #dropped: Record<DropReason, number> = {
    backlog_full: 0,
    refused: 0,
    rejected: 0,
    not_encoded: 0,
    not_saved: 0,
  };
  readonly #restoreTimer: NodeJS.Timeout;
  #restoration: Promise<void> = Promise.resolve();
  #exported = 0;
  #restored = 0;
  /** Failed attempts since the last one that got through. */
  #failures = 0;
  #pause: NodeJS.Timeout | null = null;
  #outage: Outage | null = null;
  #progress = Promise.withResolvers<void>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.maxBytes);
    this.#restore();
    this.#restoreTimer = setInterval(() => this.#restore(), restoreMillis);
    this.#restoreTimer.unref();
  }

  get counts(): DeliveryCounts {
    return {
      exported: this.#exported,
      dropped: { ...this.#dropped },
      restored: this.#restored,
      queued: (this.#firstAttempt?.length ?? 0) + this.#backlog.spans,
      backlogBytes: this.#backlog.bytes,
    };
  }

  export(spans: ReadableSpan[], answer: (result: ExportResult) => void): void {
    answer({ code: ExportResultCode.SUCCESS });
    if (this.#backlog.isEmpty && this.#firstAttempt === null) this.#attempt(spans);
    else this.#keep(spans);
  }

  /**
   * Waits until everything is delivered.
   * @throws {Error} when nothing has been for `patienceMillis`.
   */
  async forceFlush(): Promise<void> {
    this.#resume();
    const { patienceMillis } = this.#options;
    while (this.counts.queued > 0) {
      const over = new AbortController();
      const late = delay(patienceMillis, 'late', { signal: over.signal }).catch(() => 'in time');
      const came = await Promise.race([this.#progress.promise, late]);
      over.abort();
      if (came === 'late') {
        throw new Error(`no spans were taken for ${patienceMillis} ms, ${this.counts.queued} are left`);
      }
    }
  }

  /** Sends no more. What is undelivered is saved, or said to be lost. */
  async shutdown(): Promise<void> {
    this.#stop.abort();
    if (this.#pause !== null) clearTimeout(this.#pause);
    clearInterval(this.#restoreTimer);
    // A file that is being taken belongs to what has to be saved.
    await this.#restoration;
    if (this.#firstAttempt !== null) this.#keep(this.#firstAttempt);
    this.#firstAttempt = null;
    await this.#save([...this.#backlog]);
  }

  #attempt(spans: ReadableSpan[]): void {
    this.#firstAttempt = spans;
    void this.#options.firstAttempt(spans).then((delivered) => {
      // After a shutdown they have been saved.
      if (this.#firstAttempt !== spans) return;
      this.#firstAttempt = null;
      if (delivered === null) {
        this.#failures = 1;
        this.#keep(spans);
      } else {
        this.#countDelivered(spans.length, delivered);
        this.#pump();
      }
    });
  }

  #keep(spans: readonly ReadableSpan[]): void {
    const batch = this.#pack(spans);
    if (batch !== null && this.#backlog.hasRoom(sizeOf(batch))) {
      this.#backlog.add(batch);
    } else if (batch !== null) {
      this.#reportFull();
      this.#dropped.backlog_full += batch.spans;
    }
    this.#pump();
  }

  /** Null where one of the spans cannot be written down, which nobody but who made it can mend. */
  #pack(spans: readonly ReadableSpan[]): Batch | null {
    try {
      return packSpans(spans);
    } catch (error) {
      this.#drop('not_encoded', spans.length, `one of them cannot be written as OTLP, ${describe(error)}`);
      this.#goOn();
      return null;
    }
  }

  /** Starts as many attempts as may run. While nothing gets through that is one, after a pause. */
  #pump(): void {
    if (this.#pause !== null || this.#firstAttempt !== null || this.#stop.signal.aborted) return;
    const limit = this.#failures === 0 ? maxSending : 1;
    for (const batch of this.#backlog) {
      if (this.#sending.size >= limit) return;
      if (!this.#sending.has(batch)) void this.#send(batch);
    }
  }

  async #send(batch: Batch): Promise<void> {
    this.#sending.add(batch);
    const { signal } = this.#stop;
    // Otherwise the instrumentation of HTTP would make spans of it.
    const outcome = await context.with(suppressTracing(ROOT_CONTEXT), () =>
      this.#options.post(batch, signal),
    );
    this.#sending.delete(batch);
    if (signal.aborted) return;
    if (outcome.kind === 'failed') this.#backOff(batch, outcome);
    else await this.#settle(batch, outcome);
    this.#pump();
  }

  #backOff(
    batch: Batch,
    { reason, code, status, retryAfterMillis }: Outcome & { readonly kind: 'failed' },
  ): void {
    this.#reportFailure(reason, code);
    // The receiver lives and did not take this batch; that must not hold up the others.
    if (status !== null) this.#backlog.moveToBack(batch);
    // What was under way at the same time has failed for the same reason.
    if (this.#pause !== null) return;
    this.#failures += 1;
    const ceiling = Math.min(minBackoffMillis * 2 ** (this.#failures - 1), maxBackoffMillis);
    const millis = Math.max(ceiling * (0.5 + Math.random() / 2), retryAfterMillis ?? 0);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#pump();
    }, millis);
  }

  /** Ends a pause early. */
  #resume(): void {
    if (this.#pause === null) return;
    clearTimeout(this.#pause);
    this.#pause = null;
    this.#failures = 1;
    this.#pump();
  }

  async #settle(batch: Batch, outcome: Exclude<Outcome, { readonly kind: 'failed' }>): Promise<void> {
    this.#failures = 0;
    this.#backlog.remove(batch);
    if (outcome.kind === 'delivered') this.#countDelivered(batch.spans, outcome);
    else this.#countRefused(batch.spans, outcome.reason);
    if (batch.spoolFile !== null) await this.#options.spool?.settle(batch.spoolFile).catch(reportSpoolError);
    if (this.#backlog.isEmpty) {
      this.#reportRecovery();
      this.#restore();
    }
  }

  #countDelivered(spans: number, { rejected, message }: Delivered): void {
    const lost = Math.min(rejected, spans);
    if (lost > 0)
      this.#drop(
        'rejected',
        lost,
        `${this.#options.url} rejected them, ${JSON.stringify(message.slice(0, 200))}`,
      );
    this.#exported += spans - lost;
    this.#goOn();
  }

  #countRefused(spans: number, reason: string): void {
    this.#drop('refused', spans, `${this.#options.url} refused them for good, ${reason}`);
    this.#goOn();
  }

  /** Tells whoever waits for the delivery that there is less to wait for. */
  #goOn(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  #drop(reason: DropReason, spans: number, why: string): void {
    this.#dropped[reason] += spans;
    diag.error(`${spans} spans are lost: ${why}.`);
  }

  /** Takes over what a stopped process has left, as far as there is room. One call after the other. */
  #restore(): void {
    const { spool } = this.#options;
    if (spool !== null) this.#restoration = this.#restoration.then(() => this.#takeFiles(spool));
  }

  async #takeFiles(spool: Spool): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        const taken = await spool.take((bytes) => this.#backlog.hasRoom(bytes));
        if (taken === null) break;
        if (taken.isDamaged) diag.error(`${taken.path} is damaged: its spans are lost, the file is kept.`);
        // There was room for the file; in memory it is larger, and meanwhile others may have come.
        if (!this.#backlog.hasRoom(sumSizes(taken.batches))) {
          await spool.giveBack(taken.path);
          break;
        }
        for (const batch of taken.batches) {
          this.#backlog.add(batch);
          this.#restored += batch.spans;
        }
      }
    } catch (error) {
      reportSpoolError(error);
    }
    this.#pump();
  }

  async #save(batches: readonly Batch[]): Promise<void> {
    const { spool, url } = this.#options;
    const spans = this.#backlog.spans;
    try {
      if (spool === null) throw new Error('SPAN_SPOOL_DIR names no folder to keep them in');
      await spool.save(batches);
      if (spans > 0) diag.warn(`${spans} spans are kept for the next start: ${url} has not taken them.`);
    } catch (error) {
      // What came from a spool file is still there.
      const lost = batches.reduce((sum, batch) => sum + (batch.spoolFile === null ? batch.spans : 0), 0);
      if (lost > 0) this.#drop('not_saved', lost, `${url} has not taken them, and ${describe(error)}`);
    }
  }

  /** The outage that there is, or a new one. */
  #beginOutage(): Outage {
    this.#outage ??= { since: performance.now(), said: new Set(), droppedBefore: this.#dropped.backlog_full };
    return this.#outage;
  }

  /** Once for each reason in an outage. */
  #reportFailure(reason: string, code: string): void {
    const { said } = this.#beginOutage();
    if (said.has(code)) return;
    said.add(code);
    const { url, maxBytes } = this.#options;
    diag.warn(
      `${url} does not take spans: ${reason}. They are kept and sent again until it does (${this.#backlog.spans} in ` +
        `${this.#backlog.bytes} of ${maxBytes} bytes).`,
    );
  }

  #reportRecovery(): void {
    if (this.#outage === null) return;
    const seconds = Math.round((performance.now() - this.#outage.since) / 1000);
    const lost = this.#dropped.backlog_full - this.#outage.droppedBefore;
    diag.warn(
      `${this.#options.url} has taken all spans of the last ${seconds} s${lost > 0 ? `, except ${lost} that are lost` : ''}.`,
    );
    this.#outage = null;
  }

  /** Once in an outage; the metric counts on. */
  #reportFull(): void {
    const { said } = this.#beginOutage();
    if (said.has('full')) return;
    said.add('full');
    diag.error(
      `Spans are lost from now on: ${this.#backlog.spans} wait for ${this.#options.url}, and there is no room for more in ` +
        `${this.#options.maxBytes} bytes (SPAN_BACKLOG_BYTES).`,
    );
  }
}

interface Outage {
  /** Milliseconds of the monotonic clock. */
  readonly since: number;
  /** What the log has said of it: codes of failures, and that the backlog is full. */
  readonly said: Set<string>;
  readonly droppedBefore: number;
}

function sumSizes(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + sizeOf(batch), 0);
}

function reportSpoolError(error: unknown): void {
  diag.error(`The spool of spans failed: ${describe(error)}.`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
