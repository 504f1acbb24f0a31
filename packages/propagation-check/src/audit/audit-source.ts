import type { OtherSignal } from '../decode/other-signals.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { SpanStore } from '../span/span-store.ts';
import type { Result } from '../verdict/result.ts';

/** A window of time, in milliseconds since the epoch: `from` is inside, `to` is not. Infinite where it has no bound. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** The calls of one window, judged. */
export interface WindowReading {
  /** Its edges count every call of the window, however many spans were read for it. */
  readonly result: Result;
  readonly seen: WindowCoverage;
  /** The spans, where they are at hand: some reports draw traces. */
  readonly store?: SpanStore;
  /** The other signals of OTLP that files without spans hold. */
  readonly otherSignals?: readonly OtherSignal[];
}

/** How much of a window was read. */
export interface WindowCoverage {
  /** Nothing of the window is missing, as far as the source can say. */
  readonly complete: boolean;
  /**
   * One line for the reader: which part is missing, and the setting that would add it. Or what was left out because it holds no
   * traces. Otherwise empty.
   */
  readonly says: string;
}

/** Spans that an audit reads by windows: files, Jaeger, Tempo or ClickHouse. */
export interface AuditSource {
  /** As an error names it: `jaeger=http://127.0.0.1:16686`. */
  readonly name: string;
  /** Reads and judges the traces that begin in the window. */
  readWindow(window: TimeWindow, signal: AbortSignal): Promise<WindowReading>;
  /** Of a source that does not grow with time, as files do not: the end of its last window. */
  findEnd?(signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** The rest of the command, as a source uses it to judge and to tell. */
export interface AuditContext {
  /** Judges spans as the options of the command say: expectations, headers, counters of the Collector. The baseline comes later. */
  readonly judge: (store: SpanStore) => Result;
  readonly expectation: Expectation;
  /** Shows how far a long reading is. @param render Of the columns that it may take. */
  readonly showProgress: (render: (columns: number) => string) => void;
}
