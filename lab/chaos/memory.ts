import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { CommandError } from '../run-command.ts';
import { type ServiceName, type Stack, serviceNames } from './stack.ts';

/** The largest sample of each service, in MiB. */
export type PeakMemory = Readonly<Record<ServiceName, number>>;

const pauseMs = 2_000;
const statsSchema = z.object({ Name: z.string(), MemUsage: z.string() });
const mebibytes: Readonly<Record<string, number>> = {
  B: 1 / 1024 / 1024,
  KiB: 1 / 1024,
  MiB: 1,
  GiB: 1024,
};

/** Samples the memory of the stack's containers every few seconds until it is stopped. */
export function watchMemory(stack: Stack, signal: AbortSignal): { stop(): Promise<PeakMemory> } {
  const over = new AbortController();
  const peak: Record<ServiceName, number> = {
    'service-a': 0,
    'service-b': 0,
    'otel-collector': 0,
    jaeger: 0,
  };
  const watch = async () => {
    while (!over.signal.aborted && !signal.aborted) {
      for (const { service, mebibytes } of await look(stack))
        peak[service] = Math.max(peak[service], mebibytes);
      await delay(pauseMs, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(
        () => undefined,
      );
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    stop: async () => {
      over.abort();
      await watching;
      return peak;
    },
  };
}

/** Takes no sample while a container or the engine restarts. */
async function look(
  stack: Stack,
): Promise<readonly { readonly service: ServiceName; readonly mebibytes: number }[]> {
  try {
    const names = serviceNames.map((service) => `${stack.project}-${service}-1`);
    const { stdout } = await stack.docker('stats', '--no-stream', '--format', '{{json .}}', ...names);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => readStats(stack.project, line));
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}

function readStats(
  project: string,
  line: string,
): readonly { readonly service: ServiceName; readonly mebibytes: number }[] {
  const { Name, MemUsage } = statsSchema.parse(JSON.parse(line));
  const service = serviceNames.find((name) => Name === `${project}-${name}-1`);
  const [, number, unit = ''] = /^([\d.]+)([KMG]?i?B) /.exec(MemUsage) ?? [];
  const factor = mebibytes[unit];
  return service === undefined || factor === undefined
    ? []
    : [{ service, mebibytes: Number(number) * factor }];
}
