/**
 * Prints what the main process of a container may do. Without an argument that is this process; with `/proc/1` as
 * argument it is the one whose process namespace this shares, seen through its own root.
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
  // The kernel's own, which Docker masks with null devices.
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

/** Both generations of control groups. */
function readLimit(v2: string, v1: string): string {
  const groups = join(root, 'sys/fs/cgroup');
  const file = [v2, v1].map((name) => join(groups, name)).find((path) => existsSync(path));
  return file === undefined ? 'no limit' : readFileSync(file, 'utf8').trim();
}

/** Whether a file can be made in it, or it can be written itself. */
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
    // Appends nothing.
    writeFileSync(place, '', { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}
