/** Counters of a Collector's internal telemetry: spans since its start, over all its components. */
export interface CollectorCounters {
  /** The name of the metrics endpoint: `collector=http://localhost:8888/metrics`. */
  readonly name: string;
  /** Accepted by receivers. */
  readonly accepted: number;
  /** Refused by receivers or by `memory_limiter`; the sender may try again. */
  readonly refused: number;
  /** Delivered by exporters. */
  readonly sent: number;
  /** Given up by exporters. */
  readonly sendFailed: number;
  /** Dropped because an exporter's queue was full. */
  readonly enqueueFailed: number;
}
