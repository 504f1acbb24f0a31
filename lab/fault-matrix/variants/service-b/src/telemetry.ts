/** The instrumentation of the demo's service B. */
export * from 'service-b/telemetry';
