/**
 * The `loadbalancing` exporter is not published as a Go module, so the Collector of the tests has none. It makes an OTLP exporter of
 * `protocol.otlp` for each address, with a queue of its own in front where `sending_queue` stands beside `protocol`: both are validated as
 * `otlp_grpc` exporters, and a Collector that is run has one with the settings of both.
 * Its own fields are checked by this schema, after exporter/loadbalancingexporter/config.schema.yaml (01409619) of
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

/** Puts an `otlp_grpc` exporter in the place of each balancer, and names the one of an address beside it: no pipeline uses that. */
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
