import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnCli } from '../cli/run-cli.ts';

/** A sink as a process, on free ports. */
export interface SinkProcess {
  /** The address for exporters, for gRPC and HTTP. */
  readonly url: string;
  readonly metricsUrl: string;
  /** The lines of its output so far. */
  readonly said: readonly string[];
  /** Reads the value of a metric; the sum where it has several series. */
  read(name: string): Promise<number>;
  /** The samples of the counter of calls, sorted, without exemplars. */
  listCalls(): Promise<readonly string[]>;
  /** Waits until a metric reaches a value. */
  waitFor(name: string, value: number): Promise<void>;
  /** @returns The exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

const pollMs = 50;

export async function startSinkProcess(
  test: TestContext,
  args: readonly string[] = [],
): Promise<SinkProcess> {
  const child = spawnCli(test, ['sink', '--listen', '0', '--metrics', '0', ...args]);
  const said: string[] = [];
  const closed = once(child, 'close');
  const listening = new Promise<readonly [string, string]>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      const [, url, metricsUrl] = /listening on (\S+); metrics on (\S+)\/metrics/.exec(line) ?? [];
      if (url !== undefined && metricsUrl !== undefined) resolve([url, metricsUrl]);
    });
    child.once('close', () => reject(new Error(said.join('\n'))));
  });
  const [url, metricsUrl] = await listening;
  const scrape = async () => (await fetch(`${metricsUrl}/metrics`)).text();
  const read = async (name: string) =>
    [...(await scrape()).matchAll(new RegExp(`^${name}(?:\\{.*?\\})? (\\S+)`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  return {
    url,
    metricsUrl,
    said,
    read,
    listCalls: async () =>
      [...(await scrape()).matchAll(/^propagation_edge_calls_total(\{.*?\} \S+)/gm)]
        .map(([, sample = '']) => sample)
        .sort(),
    waitFor: async (name, value) => {
      while ((await read(name)) !== value) await delay(pollMs, undefined, { signal: test.signal });
    },
    stop: async (signal) => {
      child.kill(signal);
      const [code] = await closed;
      return code;
    },
  };
}
