/** Measures each work in its own process, so that no work profits from the memory and compiled code of another. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

export interface Measured {
  readonly spans: number;
  readonly milliseconds: number;
  /** CPU time of all threads. */
  readonly cpuMilliseconds: number;
  /** Peak memory of the process. */
  readonly bytes: number;
}

/** Measures one work of a file that calls `reportWork` at its end. */
export async function measureWork(file: URL, work: string, target: string): Promise<Measured> {
  const child = fork(file, [work, target]);
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(`measuring ${work} ended with exit code ${code}`);
  });
  const [measured]: Measured[] = await Promise.race([once(child, 'message'), exit]);
  exit.catch(() => {});
  if (measured === undefined) throw new Error(`measuring ${work} gave nothing`);
  return measured;
}

/** @param works Each resolves with the number of spans in its target. */
export async function reportWork(
  works: Readonly<Record<string, (target: string) => Promise<number>>>,
): Promise<void> {
  if (process.send === undefined) return;
  const [name = '', target = ''] = process.argv.slice(2);
  const work = Object.hasOwn(works, name) ? works[name] : undefined;
  if (work === undefined) throw new Error(`no work is called ${name}`);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  const spans = await work(target);
  const { user, system } = process.cpuUsage(cpuStart);
  const measured: Measured = {
    spans,
    milliseconds: performance.now() - start,
    cpuMilliseconds: (user + system) / 1_000,
    bytes: process.resourceUsage().maxRSS * 1024,
  };
  process.send(measured, () => process.exit());
}
