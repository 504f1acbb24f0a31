export interface SendTask {
  readonly url: string;
  readonly protocol: 'grpc' | 'http';
  readonly spans: number;
  /** Spans per second, sent by the SDK and its exporter; null sends encoded bodies as fast as they are answered. */
  readonly rate: number | null;
}

export interface Sent {
  readonly spans: number;
  readonly intact: number;
  readonly broken: number;
  /** Requests that were refused and sent again. */
  readonly refused: number;
  readonly milliseconds: number;
}
