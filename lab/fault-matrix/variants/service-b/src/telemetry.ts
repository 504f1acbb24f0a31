/** As the demo's service B is instrumented. */
export * from 'service-b/telemetry';
