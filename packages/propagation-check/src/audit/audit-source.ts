import type { Result } from '../verdict/result.ts';

/** A window of time, in milliseconds since the epoch: `from` is inside, `to` is not. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** The calls of one window, judged. */
export interface WindowReading {
  /** Its edges count every call of the window, however many spans were read for it. */
  readonly result: Result;
  readonly seen: WindowCoverage;
}

/** How much of a window was read. */
export interface WindowCoverage {
  /** Nothing of the window is missing, as far as the source can say. */
  readonly complete: boolean;
  /** One line for the reader: which part is missing, and the setting that would add it. Empty where the window is complete. */
  readonly says: string;
}

/** Spans that an audit reads by windows: files, Jaeger, Tempo or ClickHouse. */
export interface AuditSource {
  /** As an error names it: `jaeger=http://127.0.0.1:16686`. */
  readonly name: string;
  /** Reads and judges the traces that begin in the window. */
  readWindow(window: TimeWindow, signal: AbortSignal): Promise<WindowReading>;
  close(): Promise<void>;
}
