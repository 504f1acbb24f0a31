/** The instrumentation of the demo's service A. */
export * from 'service-a/telemetry';
