/** As the demo's service A is instrumented. */
export * from 'service-a/telemetry';
