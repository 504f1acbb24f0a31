/** A `SpanExporter` that loses no span through outages of the receiver and stops of the process. */
export { type Credentials, readCredentials } from './credentials.ts';
export { DurableExporter, type DurableExporterOptions } from './durable-exporter.ts';
export type { DeliveryCounts, DropReason } from './publish-counters.ts';
export { SpoolError } from './spool.ts';
