import type { OtherSignal } from '../decode/other-signals.ts';
import type { Span } from '../span/span.ts';

/** A place that answers with spans. Sources alone read the network, files, standard input or a child process. */
export interface Source {
  /** For people: `jaeger=http://localhost:16686`. */
  readonly name: string;
  /** A note for people before they use it, one line. */
  readonly warning?: string | null;
  /** All its spans are at hand: searching for those of every service costs nothing. */
  readonly isInMemory?: boolean;
  /** It holds what services sent to this tool, and nothing from before it was opened. */
  readonly isReceiver?: boolean;
  /** Of a receiver: for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url?: string;
  /** Of a receiver: what services tried to send in vain, and why; for people. */
  readonly complaints?: readonly string[];
  /**
   * The spans of one trace that have arrived so far; empty when the source holds none (yet).
   * @throws {SourceError} when the source cannot be asked: unreachable, refused, not the expected format.
   */
  readTrace(traceId: string, signal?: AbortSignal): Promise<readonly Span[]>;
  /**
   * The spans of the newest traces in which a service took part.
   * @throws {SourceError} as `readTrace`.
   */
  searchTraces(query: TraceQuery, signal?: AbortSignal): Promise<readonly Span[]>;
  /** Of a source that is searched service by service: their names. @throws {SourceError} as `readTrace`. */
  listServices?(signal?: AbortSignal): Promise<readonly string[]>;
  /** Of a source that tells when spans arrive: grows with each arrival. */
  readonly revision?: number;
  /** Waits until `revision` is greater than `since`. Rejects with the signal's reason when it is aborted. */
  waitForChange?(since: number, signal?: AbortSignal): Promise<number>;
  /** Of a receiver: hands spans of this tool itself to where exports go beside the memory. */
  passOn?(spans: readonly Span[]): Promise<void>;
  /** Of a receiver: drops traces, and spans of them that come later. */
  forget?(traceIds: Iterable<string>): void;
  /** Of a file: the other signals of OTLP that it holds, where no span is in it. @throws {SourceError} as `readTrace`. */
  listOtherSignals?(signal?: AbortSignal): Promise<readonly OtherSignal[]>;
  /** Frees connections and ports. */
  close(): Promise<void>;
}

/** A search for traces. */
export interface TraceQuery {
  /** Null for any. A remote source that has more services than can be searched one by one then finds nothing. */
  readonly service: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly startTimeMin: number;
  /** Milliseconds since the Unix epoch. */
  readonly startTimeMax: number;
  /** Number of traces. */
  readonly limit: number;
}

/** The source could not answer. The message says what is wrong, where, and what to do. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** A file that holds no traces in any format: a document, a picture, another program's data. */
export class ForeignFileError extends SourceError {
  /** It is known what it holds instead. */
  readonly isKnown: boolean;

  constructor(message: string, isKnown: boolean) {
    super(message);
    this.isKnown = isKnown;
  }
}
