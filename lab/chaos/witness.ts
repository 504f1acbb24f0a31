import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scene } from './fault.ts';
import { type EndedSpan, readLedger } from './ledger.ts';
import type { ServiceName, Stack } from './stack.ts';

/** Reads which spans end from now on, from the logs of all containers of a service. */
export interface Witness {
  readEnded(): Promise<readonly EndedSpan[]>;
  readonly stopService: Scene['stopService'];
  accidents(): readonly string[];
  save(...services: readonly ServiceName[]): Promise<void>;
}

/** @param folder The folder in which the logs are saved, or null. */
export function createWitness(stack: Stack, folder: string | null): Witness {
  const since = new Date().toISOString();
  const gone = new Map<string, readonly EndedSpan[]>();
  const accidents: string[] = [];
  const readLog = async (service: ServiceName): Promise<{ readonly id: string; readonly stdout: string }> => {
    const { id } = await stack.inspect(service);
    const { stdout, stderr } = await stack.docker('logs', '--since', since, id);
    if (folder !== null) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${service}-${id.slice(0, 8)}.log`), stdout + stderr);
    }
    return { id, stdout };
  };
  return {
    readEnded: async () => {
      for (const service of ['service-a', 'service-b'] as const) {
        const { id, stdout } = await readLog(service);
        gone.set(id, readLedger(service, stdout));
      }
      return [...gone.values()].flat();
    },
    stopService: async (service) => {
      const exitCode = await stack.stop(service);
      if (exitCode !== 0) accidents.push(`${service} was told to stop and ended with exit code ${exitCode}`);
      if (service !== 'service-a' && service !== 'service-b') return;
      const { id, stdout } = await readLog(service);
      gone.set(id, readLedger(service, stdout));
    },
    accidents: () => accidents,
    save: async (...services) => {
      if (folder !== null) for (const service of services) await readLog(service);
    },
  };
}
