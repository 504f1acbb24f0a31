/** The Collectors' configuration on Kubernetes: collector-config.yaml merged with the tier's own file, as two `--config` options do. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

export const components = z.record(z.string(), z.unknown());
const pipeline = z.object({
  receivers: z.array(z.string()),
  processors: z.array(z.string()).default([]),
  exporters: z.array(z.string()),
});
const configuration = z.object({
  receivers: components,
  processors: components.default({}),
  exporters: components,
  extensions: components.default({}),
  service: z
    .object({ extensions: z.array(z.string()).default([]), pipelines: z.record(z.string(), pipeline) })
    .loose(),
});

export type Configuration = z.infer<typeof configuration>;
export type Tier = 'agent' | 'gateway';

const root = new URL('../../', import.meta.url);

export async function readCollectorConfiguration(tier: Tier): Promise<Configuration> {
  return readConfigurations('collector-config.yaml', `deploy/kubernetes/base/${tier}-config.yaml`);
}

/** @param files Paths from the root of the repository; each file overrides the files before it. */
export async function readConfigurations(...files: readonly string[]): Promise<Configuration> {
  const read = files.map(
    async (file): Promise<unknown> => parse(await readFile(new URL(file, root), 'utf8')),
  );
  return configuration.parse((await Promise.all(read)).reduce(merge));
}

/** Merges as the Collector does: maps are merged, all other values are replaced. */
function merge(below: unknown, above: unknown): unknown {
  const [lower, upper] = [components.safeParse(below), components.safeParse(above)];
  if (!lower.success || !upper.success) return above;
  const merged = { ...lower.data };
  for (const [key, value] of Object.entries(upper.data)) merged[key] = merge(merged[key], value);
  return merged;
}

/** Removes the components that no pipeline uses. */
export function keepUsed(config: Configuration): Configuration {
  const pipelines = Object.values(config.service.pipelines);
  const pick = (all: Record<string, unknown>, used: readonly string[]) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => used.includes(name)));
  return {
    ...config,
    receivers: pick(
      config.receivers,
      pipelines.flatMap((one) => one.receivers),
    ),
    processors: pick(
      config.processors,
      pipelines.flatMap((one) => one.processors),
    ),
    exporters: pick(
      config.exporters,
      pipelines.flatMap((one) => one.exporters),
    ),
    extensions: pick(config.extensions, config.service.extensions),
  };
}
