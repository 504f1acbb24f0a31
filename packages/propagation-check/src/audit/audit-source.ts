import type { OtherSignal } from '../decode/other-signals.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { SpanStore } from '../span/span-store.ts';
import type { Result } from '../verdict/result.ts';

/** A window of time, in milliseconds since the epoch, without `to` itself. A bound may be infinite. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** A window and its judged calls. */
export interface WindowReading {
  /** Its edges count every call of the window, even if only a sample of the spans was read. */
  readonly result: Result;
  readonly seen: WindowCoverage;
  /** The spans, where the source gives them: some reports draw traces. */
  readonly store?: SpanStore;
  /** The other OTLP signals in files that hold no spans. */
  readonly otherSignals?: readonly OtherSignal[];
}

/** How much of a window was read. */
export interface WindowCoverage {
  /** The whole window was read, as far as the source can say. */
  readonly complete: boolean;
  /**
   * One line for people: which part is missing and which setting would add it, or what was left out because it holds no traces. Empty
   * where nothing is missing.
   */
  readonly says: string;
}

/** A source of spans that an audit reads by windows: files, Jaeger, Tempo or ClickHouse. */
export interface AuditSource {
  /** The name of the source in errors: `jaeger=http://127.0.0.1:16686`. */
  readonly name: string;
  /** Reads and judges the traces that begin in the window. */
  readWindow(window: TimeWindow, signal: AbortSignal): Promise<WindowReading>;
  /** The end of the last window. Only for a source that does not grow with time, such as files. */
  findEnd?(signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** What a source needs of the command to judge spans and to show progress. */
export interface AuditContext {
  /** Judges spans as the options say: expectations, headers, counters of the Collector. The baseline is applied later. */
  readonly judge: (store: SpanStore) => Result;
  readonly expectation: Expectation;
  /** Shows the progress of a long read. @param render Renders the text into so many columns. */
  readonly showProgress: (render: (columns: number) => string) => void;
}
