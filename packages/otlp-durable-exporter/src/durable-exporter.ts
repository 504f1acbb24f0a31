import { setTimeout as delay } from 'node:timers/promises';
import { diag, type MeterProvider } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { attempt, type Explain, type Outcome } from './attempt.ts';
import { Backlog } from './backlog.ts';
import { type Batch, packSpans, sizeOf, unpackSpans } from './batch.ts';
import { readCredentials } from './credentials.ts';
import { type DeliveryCounts, type DropReason, publishCounters } from './publish-counters.ts';
import { Spool } from './spool.ts';

export interface DurableExporterOptions {
  /** The memory for packed spans that wait to be sent again, in bytes. Default: 32 MiB, about 300,000 spans. */
  readonly maxBytes?: number;
  /** Where undelivered spans are saved when the process stops. Without it they are lost. */
  readonly spool?: {
    readonly directory: string;
    /** The bound of all files of spans in the folder. Default: 256 MiB. */
    readonly maxBytes?: number;
  };
  /** `forceFlush` rejects when no span was delivered for this long. Default: 10 s. */
  readonly flushTimeoutMillis?: number;
  /** An attempt without a result has failed after this time. Default: 30 s, as `OTEL_BSP_EXPORT_TIMEOUT`. */
  readonly attemptTimeoutMillis?: number;
  /** How long `shutdown` tries to deliver spans before it saves them. Default: 5 s. */
  readonly shutdownTimeoutMillis?: number;
  /** The meter provider on which the counters are published. */
  readonly meterProvider?: MeterProvider;
  /** The name of the receiver in messages, for example its URL. */
  readonly receiver?: string;
  /** Explains failures in messages. `explain` of `readCredentials` names the files; the default does not. */
  readonly explain?: Explain;
}

const defaultMaxBytes = 32 * 1024 * 1024;
const defaultSpoolBytes = 256 * 1024 * 1024;
const defaultFlushTimeoutMillis = 10_000;
const defaultAttemptTimeoutMillis = 30_000;
/** Docker kills a container after ten seconds; half of them are for the rest of the service. */
const defaultShutdownTimeoutMillis = 5_000;
/** The most unpacked batches that wait for their first attempt. With 512 spans each this equals the queue of the processor. */
const maxFresh = 4;
/** The most kept batches that are sent at the same time, after one has succeeded. */
const maxSending = 8;
const minBackoffMillis = 250;
const maxBackoffMillis = 5_000;
/** How often the spool is checked for files of other instances, and for files that did not fit before. */
const restoreMillis = 30_000;

/**
 * Delivers spans at least once, through outages of the receiver and stops of the process, in bounded memory. The wrapped exporter makes every
 * attempt.
 *
 * It answers the batch processor at once, so that the processor's own queue never fills up.
 */
export class DurableExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #receiver: string;
  readonly #maxBytes: number;
  readonly #attemptTimeoutMillis: number;
  readonly #flushTimeoutMillis: number;
  readonly #shutdownTimeoutMillis: number;
  readonly #spool: Spool | null;
  readonly #explain: Explain;
  readonly #backlog: Backlog;
  /**
   * Unpacked batches. The first one is being sent, the others wait. Only one is sent at a time, because during an outage a DNS look-up can
   * block a thread for seconds, and the process has four threads for all its look-ups.
   */
  readonly #fresh: ReadableSpan[][] = [];
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
  /** Failed attempts since the last success. */
  #failures = 0;
  #pause: NodeJS.Timeout | null = null;
  #outage: Outage | null = null;
  /** Resolved during an outage. */
  #trouble = Promise.withResolvers<void>();
  #shutdown: Promise<void> | null = null;
  #progress = Promise.withResolvers<void>();

  /** @throws {SpoolError} where the spool folder cannot be created or written. */
  constructor(exporter: SpanExporter, options: DurableExporterOptions = {}) {
    const { spool, meterProvider } = options;
    this.#exporter = exporter;
    // A URL may contain a password.
    this.#receiver = (options.receiver ?? 'The receiver').replace(/(?<=\/\/)[^/]*@/, '');
    this.#explain = options.explain ?? readCredentials({}).explain;
    this.#maxBytes = options.maxBytes ?? defaultMaxBytes;
    this.#attemptTimeoutMillis = options.attemptTimeoutMillis ?? defaultAttemptTimeoutMillis;
    this.#flushTimeoutMillis = options.flushTimeoutMillis ?? defaultFlushTimeoutMillis;
    this.#shutdownTimeoutMillis = options.shutdownTimeoutMillis ?? defaultShutdownTimeoutMillis;
    this.#spool =
      spool === undefined ? null : new Spool(spool.directory, spool.maxBytes ?? defaultSpoolBytes);
    this.#backlog = new Backlog(this.#maxBytes);
    if (meterProvider !== undefined) publishCounters(this, meterProvider, this.#maxBytes);
    this.#restore();
    this.#restoreTimer = setInterval(() => this.#restore(), restoreMillis);
    this.#restoreTimer.unref();
  }

  get counts(): DeliveryCounts {
    return {
      exported: this.#exported,
      dropped: { ...this.#dropped },
      restored: this.#restored,
      queued: this.#fresh.reduce((sum, spans) => sum + spans.length, this.#backlog.spans),
      backlogBytes: this.#backlog.bytes,
    };
  }

  export(spans: ReadableSpan[], answer: (result: ExportResult) => void): void {
    if (this.#stop.signal.aborted) {
      answer({ code: ExportResultCode.FAILED, error: new Error('the exporter is shut down') });
      return;
    }
    answer({ code: ExportResultCode.SUCCESS });
    if (this.#backlog.isEmpty && this.#fresh.length < maxFresh) {
      this.#fresh.push(spans);
      if (this.#fresh.length === 1) void this.#attemptFresh();
    } else {
      this.#keep(spans);
      this.#pump();
    }
  }

  /**
   * Waits until all spans are delivered.
   * @throws {Error} when no span was delivered for `flushTimeoutMillis`, or after a shutdown.
   */
  async forceFlush(): Promise<void> {
    this.#resume();
    // A spool file that is being read has spans to deliver, too.
    await this.#restoration;
    while (this.counts.queued > 0) {
      const left = `${this.counts.queued} spans are not delivered`;
      if (this.#stop.signal.aborted) throw new Error(`${left}: the exporter is shut down`);
      if (!(await isInTime(this.#progress.promise, this.#flushTimeoutMillis))) {
        throw new Error(`${left}: no others were for ${this.#flushTimeoutMillis} ms`);
      }
    }
  }

  /**
   * Delivers spans until the deadline, then stops. Spans that are left are saved, or reported as lost. In an outage they are saved at once.
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#stopAndSave();
    return this.#shutdown;
  }

  async #stopAndSave(): Promise<void> {
    const flushed = this.forceFlush();
    const waiting = this.#spool === null ? flushed : Promise.race([flushed, this.#trouble.promise]);
    await isInTime(waiting, this.#shutdownTimeoutMillis);
    this.#stop.abort();
    this.#goOn();
    if (this.#pause !== null) clearTimeout(this.#pause);
    clearInterval(this.#restoreTimer);
    // Spans of a spool file that is being read must be saved, too.
    await this.#restoration;
    for (const spans of this.#fresh.splice(0)) this.#keep(spans);
    const isIdle = this.#backlog.isEmpty;
    await this.#save([...this.#backlog]);
    const stopped = this.#exporter.shutdown().catch(() => undefined);
    // During an attempt the shutdown of the exporter would wait for it.
    if (isIdle) await stopped;
  }

  #attempt(spans: ReadableSpan[]): Promise<Outcome> {
    return attempt(this.#exporter, spans, this.#attemptTimeoutMillis, this.#explain);
  }

  async #attemptKept(batch: Batch): Promise<Outcome> {
    try {
      return await this.#attempt(unpackSpans(batch));
    } catch (error) {
      // Another version of this package may have written the spool file.
      return { kind: 'refused', reason: `nobody can read them, ${describe(error)}` };
    }
  }

  async #attemptFresh(): Promise<void> {
    for (let spans = this.#fresh[0]; spans !== undefined; spans = this.#fresh[0]) {
      const outcome = await this.#attempt(spans);
      // A shutdown has taken the batch, and saved it.
      if (this.#fresh[0] !== spans) return;
      this.#fresh.shift();
      if (outcome.kind !== 'failed') this.#count(spans.length, outcome);
      else if (this.#keep(spans)) {
        for (const waiting of this.#fresh.splice(0)) this.#keep(waiting);
        this.#backOff(outcome);
      }
    }
    this.#pump();
  }

  /** @returns false where the spans cannot be encoded: then the failed attempt says nothing about the receiver. */
  #keep(spans: readonly ReadableSpan[]): boolean {
    const batch = this.#pack(spans);
    if (batch === null) return false;
    if (this.#backlog.hasRoom(sizeOf(batch))) this.#backlog.add(batch);
    else {
      this.#reportFull();
      this.#dropped.backlog_full += batch.spans;
    }
    return true;
  }

  /** @returns null where one of the spans cannot be encoded. */
  #pack(spans: readonly ReadableSpan[]): Batch | null {
    try {
      return packSpans(spans);
    } catch (error) {
      this.#drop('not_encoded', spans.length, `one of them cannot be written as OTLP, ${describe(error)}`);
      this.#goOn();
      return null;
    }
  }

  /** Starts as many attempts as are allowed: while nothing succeeds one at a time, after a pause. */
  #pump(): void {
    if (this.#pause !== null || this.#fresh.length > 0 || this.#stop.signal.aborted) return;
    const limit = this.#failures === 0 ? maxSending : 1;
    for (const batch of this.#backlog) {
      if (this.#sending.size >= limit) return;
      if (!this.#sending.has(batch)) void this.#send(batch);
    }
  }

  async #send(batch: Batch): Promise<void> {
    this.#sending.add(batch);
    const outcome = await this.#attemptKept(batch);
    this.#sending.delete(batch);
    if (this.#stop.signal.aborted) return;
    if (outcome.kind === 'failed') {
      // The receiver answers but refuses this batch, so the others go first.
      if (outcome.isAnswered) this.#backlog.moveToBack(batch);
      this.#backOff(outcome);
    } else await this.#settle(batch, outcome);
    this.#pump();
  }

  #backOff({ reason, code, retryAfterMillis }: Failure): void {
    this.#reportFailure(reason, code);
    // Attempts that ran at the same time have failed for the same reason.
    if (this.#pause !== null) return;
    this.#failures += 1;
    const ceiling = Math.min(minBackoffMillis * 2 ** (this.#failures - 1), maxBackoffMillis);
    const millis = Math.max(ceiling * (0.5 + Math.random() / 2), retryAfterMillis);
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

  async #settle(batch: Batch, outcome: Settled): Promise<void> {
    this.#failures = 0;
    this.#backlog.remove(batch);
    this.#count(batch.spans, outcome);
    if (batch.spoolFile !== null) await this.#spool?.settle(batch.spoolFile).catch(reportSpoolError);
    if (this.#backlog.isEmpty) {
      this.#reportRecovery();
      this.#restore();
    }
  }

  #count(spans: number, outcome: Settled): void {
    if (outcome.kind === 'refused') {
      this.#drop('refused', spans, `${this.#receiver} refused them for good, ${outcome.reason}`);
    } else {
      // A receiver may report more rejected spans than it was sent.
      const lost = Math.min(outcome.rejected, spans);
      const said = JSON.stringify(outcome.message.slice(0, 200));
      if (lost > 0) this.#drop('rejected', lost, `${this.#receiver} rejected them, ${said}`);
      this.#exported += spans - lost;
    }
    this.#goOn();
  }

  /** Reports progress to `forceFlush`. */
  #goOn(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  #drop(reason: DropReason, spans: number, why: string): void {
    this.#dropped[reason] += spans;
    diag.error(`${spans} spans are lost: ${why}.`);
  }

  /** Takes the files of stopped processes, as long as there is room. Calls run one after the other. */
  #restore(): void {
    const spool = this.#spool;
    if (spool !== null) this.#restoration = this.#restoration.then(() => this.#takeFiles(spool));
  }

  async #takeFiles(spool: Spool): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        const taken = await spool.take((bytes) => this.#backlog.hasRoom(bytes));
        if (taken === null) break;
        if (taken.isDamaged) diag.error(`${taken.path} is damaged: its spans are lost, the file is kept.`);
        // A file takes more room in memory, and other batches may have been added meanwhile.
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
    const spool = this.#spool;
    const spans = this.#backlog.spans;
    try {
      if (spool === null) throw new Error('there is no spool folder to keep them in');
      await spool.save(batches);
      if (spans > 0)
        diag.warn(`${spans} spans are kept for the next start: ${this.#receiver} has not taken them.`);
    } catch (error) {
      // Batches of a spool file are still in that file.
      const unsaved = batches.filter(({ spoolFile }) => spoolFile === null);
      for (const batch of unsaved) this.#backlog.remove(batch);
      const lost = unsaved.reduce((sum, batch) => sum + batch.spans, 0);
      if (lost > 0)
        this.#drop('not_saved', lost, `${this.#receiver} has not taken them, and ${describe(error)}`);
    }
  }

  /** The current outage, or a new one. */
  #beginOutage(): Outage {
    this.#outage ??= { since: performance.now(), said: new Set(), droppedBefore: this.#dropped.backlog_full };
    this.#trouble.resolve();
    return this.#outage;
  }

  /** Reports each kind of failure once in an outage. */
  #reportFailure(reason: string, code: string): void {
    const { said } = this.#beginOutage();
    if (said.has(code)) return;
    said.add(code);
    diag.warn(
      `${this.#receiver} does not take spans: ${reason}. They are kept and sent again until it does (${this.#backlog.spans} in ` +
        `${this.#backlog.bytes} of ${this.#maxBytes} bytes).`,
    );
  }

  #reportRecovery(): void {
    if (this.#outage === null) return;
    const seconds = Math.round((performance.now() - this.#outage.since) / 1000);
    const lost = this.#dropped.backlog_full - this.#outage.droppedBefore;
    diag.warn(
      `${this.#receiver} has taken all spans of the last ${seconds} s${lost > 0 ? `, except ${lost} that are lost` : ''}.`,
    );
    this.#outage = null;
    this.#trouble = Promise.withResolvers();
  }

  /** Reports once in an outage; the counter counts every drop. */
  #reportFull(): void {
    const { said } = this.#beginOutage();
    if (said.has('full')) return;
    said.add('full');
    diag.error(
      `Spans are lost from now on: ${this.#backlog.spans} wait for ${this.#receiver}, and there is no room for more in ` +
        `${this.#maxBytes} bytes (maxBytes).`,
    );
  }
}

type Failure = Extract<Outcome, { readonly kind: 'failed' }>;
type Settled = Exclude<Outcome, Failure>;

interface Outage {
  /** Milliseconds on the monotonic clock. */
  readonly since: number;
  /** The codes of failures that were reported, and `full` for the backlog. */
  readonly said: Set<string>;
  readonly droppedBefore: number;
}

/** Whether the work is done before the deadline; false also where it fails. */
async function isInTime(work: Promise<unknown>, millis: number): Promise<boolean> {
  const over = new AbortController();
  const late = delay(millis, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } catch {
    return false;
  } finally {
    over.abort();
  }
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
