/** An exporter of OpenTelemetry spans that loses nothing through outages and stops. */
export { type Credentials, readCredentials } from './credentials.ts';
export { DurableExporter, type DurableExporterOptions } from './durable-exporter.ts';
export type { DeliveryCounts, DropReason } from './publish-counters.ts';
export { SpoolError } from './spool.ts';
