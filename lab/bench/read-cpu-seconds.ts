import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const ticksPerSecond = 100;

/** CPU time of all threads. Linux. */
export async function readCpuSeconds({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
