/**
 * The `loadbalancing` exporter is not published as a Go module, so the tests' Collector does not have it. The exporter makes an OTLP exporter
 * from `protocol.otlp` for each address; a `sending_queue` beside `protocol` is a queue in front of all addresses. The tests validate both
 * as `otlp_grpc` exporters, and run a Collector with one `otlp_grpc` exporter that has the settings of both.
 * This schema checks the exporter's own fields. Source: exporter/loadbalancingexporter/config.schema.yaml (01409619) of
 * open-telemetry/opentelemetry-collector-contrib.
 */
import { z } from 'zod';
import type { Configuration } from './collector-configuration.ts';

const duration = z.string().regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/);
const exporter = z.strictObject({
  routing_key: z.enum(['traceID', 'service']).optional(),
  resolver: z.strictObject({
    dns: z.strictObject({
      hostname: z.string().min(1),
      port: z.string().regex(/^\d+$/).optional(),
      interval: duration.optional(),
      timeout: duration.optional(),
    }),
  }),
  protocol: z.strictObject({ otlp: z.record(z.string(), z.unknown()) }),
  timeout: z.unknown().optional(),
  retry_on_failure: z.unknown().optional(),
  sending_queue: z.unknown().optional(),
});

/** Replaces each balancer by an `otlp_grpc` exporter. Adds the exporter of one address as `_backend`, which no pipeline uses, to validate it. */
export function replaceLoadBalancers(
  config: Configuration,
  endpointOf = (host: string) => `${host}:4317`,
): Configuration {
  const exporters: Record<string, unknown> = {};
  const stands = new Map<string, string>();
  for (const [name, value] of Object.entries(config.exporters)) {
    if (!name.startsWith('loadbalancing')) {
      exporters[name] = value;
      continue;
    }
    const { protocol, resolver, routing_key: _, ...own } = exporter.parse(value);
    const stand = name.replace('loadbalancing', 'otlp_grpc');
    const endpoint = endpointOf(resolver.dns.hostname);
    exporters[stand] = { endpoint, ...protocol.otlp, ...own };
    exporters[`${stand}_backend`] = { endpoint, ...protocol.otlp };
    stands.set(name, stand);
  }
  const pipelines = Object.entries(config.service.pipelines).map(([name, pipeline]) => [
    name,
    { ...pipeline, exporters: pipeline.exporters.map((one) => stands.get(one) ?? one) },
  ]);
  return { ...config, exporters, service: { ...config.service, pipelines: Object.fromEntries(pipelines) } };
}
