/**
 * Prints the privileges of a container's main process. Without an argument that is this process. With the argument `/proc/1` it is the main
 * process of the shared process namespace, whose files are read through its own root.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const process1 = process.argv[1] ?? '/proc/self';
const root = process1 === '/proc/self' ? '/' : join(process1, 'root');

const status = new Map(
  readFileSync(join(process1, 'status'), 'utf8')
    .split('\n')
    .map((line): [string, string] => {
      const [name = '', value = ''] = line.split(':');
      return [name, value.trim()];
    }),
);
const mountPoints = readFileSync(join(process1, 'mountinfo'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ')[4] ?? '')
  // Without the kernel's own files, which Docker masks with null devices.
  .filter((path) => !/^\/(?:proc|sys)(?:\/|$)/.test(path));

console.log(
  JSON.stringify({
    users: [...new Set(status.get('Uid')?.split('\t'))],
    groups: [...new Set(status.get('Gid')?.split('\t'))],
    capabilities: Object.fromEntries(
      ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => [set, status.get(set)]),
    ),
    noNewPrivileges: status.get('NoNewPrivs'),
    seccomp: status.get('Seccomp'),
    memoryBytes: readLimit('memory.max', 'memory/memory.limit_in_bytes'),
    processes: readLimit('pids.max', 'pids/pids.max'),
    writable: [...new Set([...mountPoints, ...readdirSync(root)].map((path) => join('/', path)))]
      .filter(canWrite)
      .toSorted(),
  }),
);

/** Reads a limit from control groups v2 or v1. */
function readLimit(v2: string, v1: string): string {
  const groups = join(root, 'sys/fs/cgroup');
  const file = [v2, v1].map((name) => join(groups, name)).find((path) => existsSync(path));
  return file === undefined ? 'no limit' : readFileSync(file, 'utf8').trim();
}

/** Whether a file can be created in this folder, or this file can be written. */
function canWrite(path: string): boolean {
  const place = join(root, path);
  try {
    const probe = join(place, 'probe');
    writeFileSync(probe, '', { flag: 'wx' });
    rmSync(probe);
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOTDIR')) return false;
  }
  try {
    if (statSync(place).isCharacterDevice()) return false;
    // Opens the file for writing without changing it.
    writeFileSync(place, '', { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}
