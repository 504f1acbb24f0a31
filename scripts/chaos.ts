/** Breaks the real stack under load, mends it, and accounts for every span that ended in a service. */

import { openOutput } from '../propagation-check/src/cli/open-output.ts';
import type { Fault } from './chaos/fault.ts';
import { chaosFaults } from './chaos/faults.ts';
import { readArguments, selectFaults } from './chaos/options.ts';
import { prepare } from './chaos/prepare.ts';
import {
  describeRun,
  isRowClean,
  isRowWhole,
  type Row,
  renderTable,
  renderTableJson,
} from './chaos/report.ts';
import { type Run, type RunOptions, runFault } from './chaos/run-fault.ts';
import { runScript } from './run-script.ts';

await runScript(runChaos);

async function runChaos(signal: AbortSignal): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  const faults = selectFaults(chaosFaults, args.only);
  const output = openOutput();
  if (args.list) {
    await output.print(faults.map(({ name, what }) => `${name.padEnd(18)}  ${what}\n`).join(''));
    return 0;
  }

  const options = await prepare(args, signal);
  const obstacles = new Map(faults.map((fault) => [fault, fault.findObstacle?.(options.settings) ?? null]));
  const possible = faults.filter((fault) => obstacles.get(fault) === null);
  const count = args.runs ?? (args.short ? 1 : 5);
  const runs = new Map<string, Run[]>(possible.map(({ name }) => [name, []]));
  const readRows = () =>
    faults.map((fault): Row => {
      const skipped = obstacles.get(fault) ?? null;
      return {
        fault: fault.name,
        runs: runs.get(fault.name) ?? [],
        wanted: skipped === null ? count : 0,
        skipped,
      };
    });
  try {
    await runAll(possible, count, args.parallel, options, runs);
  } finally {
    // What has been measured is told also when someone has ended it.
    await output.print((args.json ? renderTableJson : renderTable)(readRows()));
  }
  const rows = readRows();
  if (!rows.every(isRowClean)) return 1;
  return rows.every(isRowWhole) && possible.length > 0 ? 0 : 2;
}

/** Adds each run to those of its fault. The longest go first, so that none is left over at the end; what needs the machine for itself last. */
async function runAll(
  faults: readonly Fault[],
  count: number,
  parallel: number,
  options: RunOptions,
  done: ReadonlyMap<string, Run[]>,
): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const runSome = async (some: readonly Fault[], stacks: number): Promise<void> => {
    const queue = some.values();
    const work = async (): Promise<void> => {
      for (const fault of queue) {
        const project = `chaos-${process.pid}-${fault.name}`;
        for await (const run of runFault(fault, count, project, { ...options, signal })) {
          done.get(fault.name)?.push(run);
          const number = `[${done.get(fault.name)?.length}/${count}]`;
          process.stderr.write(`${new Date().toISOString()} ${number} ${describeRun(run)}\n`);
        }
      }
    };
    const start = () =>
      work().catch((error: unknown) => {
        // A fault of this program: the others need not go on.
        broken.abort(error);
        throw error;
      });
    const workers = await Promise.allSettled(Array.from({ length: stacks }, start));
    // Only now, when every stack has been taken down.
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  };

  const longestFirst = faults.toSorted((one, other) => other.lasts.full - one.lasts.full);
  const together = longestFirst.filter(({ needsAll }) => !needsAll);
  await runSome(together, Math.min(parallel, together.length));
  await runSome(
    longestFirst.filter(({ needsAll }) => needsAll),
    1,
  );
}
