import { UsageError } from 'propagation-check/kit';
import * as z from 'zod';
import { removeEndedStacks } from '../ended-stacks.ts';
import { CommandError, runCommand } from '../run-command.ts';
import type { StackShape } from './fault.ts';
import type { ChaosArguments } from './options.ts';
import type { RunOptions } from './run-fault.ts';
import { buildImage, type ComposeOverride, stackImage } from './stack.ts';

const configSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      build: z.unknown().optional(),
      image: z.string().optional(),
      volumes: z
        .array(z.object({ type: z.string(), source: z.string().optional(), target: z.string() }))
        .optional(),
    }),
  ),
});

/** The account uses the services' logs, so log rotation must not remove a line during a run. */
const wholeLog = { options: { 'max-size': '1g' } };

/** Builds the image once for all stacks; `removeImage` removes it. @throws {UsageError} when there is no engine, no Compose, or no image. */
export async function prepare(args: ChaosArguments, signal: AbortSignal): Promise<RunOptions> {
  try {
    await runCommand('docker', ['version'], { signal });
    await removeEndedStacks(signal);
    const compose = ['compose', '--profile', '*'];
    const config = await runCommand('docker', [...compose, 'config', '--format', 'json'], { signal });
    const { services } = configSchema.parse(JSON.parse(config.stdout));
    const built = Object.values(services).filter(({ build }) => build !== undefined);
    // One service builds the image; other services use it without building it.
    const images = new Set(built.map(({ image }) => image));
    const override: ComposeOverride = {
      services: Object.fromEntries(
        Object.entries(services).map(([name, { image }]) => [
          name,
          { ...(images.has(image) ? { image: stackImage } : {}), logging: wholeLog },
        ]),
      ),
    };
    await buildImage(override, signal);
    return {
      rate: args.rate,
      short: args.short,
      patienceMs: args.patience * 1000,
      settings: { restartEngine: args.engineRestart ?? null },
      shape: readShape(services),
      override,
      save: args.save ?? null,
      signal,
    };
  } catch (error) {
    if (error instanceof CommandError) throw new UsageError(`error: the stack cannot run: ${error.message}`);
    throw error;
  }
}

function readShape(services: z.infer<typeof configSchema>['services']): StackShape {
  const volumes = Object.entries(services).map(([name, service]) => {
    const named = (service.volumes ?? []).filter(({ type }) => type === 'volume');
    return [name, Object.fromEntries(named.map(({ source = '', target }) => [target, source]))];
  });
  return { volumes: Object.fromEntries(volumes) };
}
