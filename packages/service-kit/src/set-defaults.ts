/** Variables of OpenTelemetry that the user has not set. */
export function setDefaults(serviceName: string): void {
  const defaults = {
    OTEL_SERVICE_NAME: serviceName,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    // Others ask the metadata addresses of five clouds; `host` warns where a container has no machine id.
    OTEL_NODE_RESOURCE_DETECTORS: 'env,os,process',
    OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
  };
  for (const [name, value] of Object.entries(defaults)) process.env[name] ||= value;
}
