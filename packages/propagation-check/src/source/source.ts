import type { OtherSignal } from '../decode/other-signals.ts';
import type { Span } from '../span/span.ts';

/** A place from which spans are read. Only sources read the network, files, standard input or a child process. */
export interface Source {
  /** The name in messages: `jaeger=http://localhost:16686`. */
  readonly name: string;
  /** A warning for the user when the source is opened, one line. */
  readonly warning?: string | null;
  /** All its spans are in memory: searching for the spans of every service costs nothing. */
  readonly isInMemory?: boolean;
  /** It holds only spans that services sent to this tool since it was opened. */
  readonly isReceiver?: boolean;
  /** The URL of a receiver, for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url?: string;
  /** Why a receiver refused exports or left out spans, and which services a search left out, for messages. */
  readonly complaints?: readonly string[];
  /**
   * The spans of one trace that have arrived so far; empty if the source has none (yet).
   * @throws {SourceError} when the source cannot be read: unreachable, access refused, not the expected format.
   */
  readTrace(traceId: string, signal?: AbortSignal): Promise<readonly Span[]>;
  /**
   * The spans of the newest traces in which a service took part.
   * @throws {SourceError} as `readTrace`.
   */
  searchTraces(query: TraceQuery, signal?: AbortSignal): Promise<readonly Span[]>;
  /** The ids that `searchTraces` would read, for a source that reads each trace apart: they cost little. @throws {SourceError} as `readTrace`. */
  searchIds?(query: TraceQuery, signal?: AbortSignal): Promise<readonly string[]>;
  /** The names of the services, for a source that is searched service by service. @throws {SourceError} as `readTrace`. */
  listServices?(signal?: AbortSignal): Promise<readonly string[]>;
  /** The number of arrivals, for a source that signals when spans arrive. */
  readonly revision?: number;
  /** Waits until `revision` is greater than `since`. Rejects with the signal's reason when the signal is aborted. */
  waitForChange?(since: number, signal?: AbortSignal): Promise<number>;
  /** For a receiver: passes this tool's own spans to the other destinations of exports. */
  passOn?(spans: readonly Span[]): Promise<void>;
  /** For a receiver: drops traces, and later spans of them. */
  forget?(traceIds: Iterable<string>): void;
  /** For a file without spans: the other OTLP signals that it holds. @throws {SourceError} as `readTrace`. */
  listOtherSignals?(signal?: AbortSignal): Promise<readonly OtherSignal[]>;
  /** Frees connections and ports. */
  close(): Promise<void>;
}

/** A search for traces. */
export interface TraceQuery {
  /** Null for any service. A remote source with too many services then searches the likeliest of them, and complains. */
  readonly service: string | null;
  /** If `service` is null: names that the services in question may have. */
  readonly likely?: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly startTimeMin: number;
  /** Milliseconds since the Unix epoch. */
  readonly startTimeMax: number;
  /** Number of traces. */
  readonly limit: number;
}

/** The source could not be read. The message names the place, the fault and what to do. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** A file that holds no traces in any format: a document, a picture, another program's data. */
export class ForeignFileError extends SourceError {
  /** `known`: its actual content is recognised. `document`: a JSON object without any field of a trace. */
  readonly content: 'known' | 'document' | 'unknown';

  constructor(message: string, content: ForeignFileError['content']) {
    super(message);
    this.content = content;
  }
}
