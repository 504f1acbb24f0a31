/** Breaks the real stack under load, repairs it, and accounts for every span that ended in a service. */

import { runScript } from 'demo';
import { openOutput } from 'propagation-check/kit';
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
import type { Run } from './chaos/run.ts';
import { type RunOptions, runFault } from './chaos/run-fault.ts';
import { removeImage, startStack } from './chaos/stack.ts';
import { StackKeeper } from './chaos/stack-keeper.ts';
import { nameProject } from './ended-stacks.ts';

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
    // After an interruption the finished runs are still reported.
    await output.print((args.json ? renderTableJson : renderTable)(readRows()));
    await removeImage();
  }
  const rows = readRows();
  if (!rows.every(isRowClean)) return 1;
  return rows.every(isRowWhole) && possible.length > 0 ? 0 : 2;
}

/**
 * Runs all faults and adds each run to `done`. Faults that need their own configuration of the stack start first, then the longest, so
 * that no long run is left over at the end. Faults that need the whole machine run last.
 */
async function runAll(
  faults: readonly Fault[],
  count: number,
  parallel: number,
  options: RunOptions,
  done: ReadonlyMap<string, Run[]>,
): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const runSome = async (some: readonly Fault[], keepers: readonly StackKeeper[]): Promise<void> => {
    const queue = some.values();
    const work = async (keeper: StackKeeper): Promise<void> => {
      for (const fault of queue) {
        for await (const run of runFault(fault, count, keeper, { ...options, signal })) {
          done.get(fault.name)?.push(run);
          const number = `[${done.get(fault.name)?.length}/${count}]`;
          process.stderr.write(`${new Date().toISOString()} ${number} ${describeRun(run)}\n`);
        }
        // In the full form each fault gets a new stack, so that its peak memory is that of this fault alone.
        if (!options.short) await keeper.discard();
      }
    };
    const start = (keeper: StackKeeper) =>
      work(keeper).catch((error: unknown) => {
        // An error of this program, not a failed run: the other workers stop too.
        broken.abort(error);
        throw error;
      });
    const workers = await Promise.allSettled(keepers.map(start));
    // The error is thrown only after all workers have ended.
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  };

  const form = options.short ? 'short' : 'full';
  const inOrder = faults.toSorted(
    (one, other) =>
      Number(other.override !== undefined) - Number(one.override !== undefined) ||
      other.lasts[form] - one.lasts[form],
  );
  const together = inOrder.filter(({ needsAll }) => !needsAll);
  const alone = inOrder.filter(({ needsAll }) => needsAll);
  const keepers = Array.from(
    { length: Math.max(1, Math.min(parallel, together.length)) },
    (_, index) =>
      new StackKeeper((override) =>
        startStack({ project: nameProject('chaos', String(index + 1)), override, signal }),
      ),
  );
  const discard = (some: readonly StackKeeper[]) => Promise.all(some.map((keeper) => keeper.discard()));
  try {
    await runSome(together, keepers);
    await discard(keepers.slice(1));
    await runSome(alone, keepers.slice(0, 1));
  } finally {
    await discard(keepers);
  }
}
