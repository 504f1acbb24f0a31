/** Times on the real stack: the assertion with no stack and with a running stack, and `down`. */
import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median } from '../quantile.ts';

const root = join(import.meta.dirname, '..', '..');
const assertion = ['run', '--rm', 'assert'];
const down = ['--profile', 'assert', 'down'];
const rounds = 3;

/** Targets in seconds, on an idle machine, with the images built. */
const steps = [
  { step: 'assert, from nothing', args: assertion, target: 9 },
  { step: 'assert, stack is up', args: assertion, target: 4 },
  { step: 'down', args: down, target: 3 },
] as const;

/** Prints the table. Takes the stack of this checkout down first, and leaves nothing running. */
export async function benchStack(): Promise<void> {
  await compose(['build']);
  await compose(down);
  const seconds = steps.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { args }] of steps.entries()) seconds[index]?.push(await compose(args));
  }
  console.log(`${rounds} rounds, seconds; load ${loadavg()[0]?.toFixed(1)}`);
  for (const [index, { step, target }] of steps.entries()) {
    const taken = seconds[index] ?? [];
    const shown = taken
      .toSorted((a, b) => a - b)
      .map((value) => value.toFixed(1).padStart(6))
      .join('');
    console.log(`${step.padEnd(22)}${shown}   ≤ ${target} ${median(taken) <= target ? 'met' : 'missed'}`);
  }
}

/** @returns how long it took. @throws {Error} with the output of Compose when it fails. */
async function compose(args: readonly string[]): Promise<number> {
  const start = performance.now();
  await promisify(execFile)('docker', ['compose', ...args], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  return (performance.now() - start) / 1000;
}
