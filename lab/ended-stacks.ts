/** Removes the stacks of killed suites. An engine has addresses for about 30 networks, and a stack needs 5 of them. */

import { runCommand } from './run-command.ts';

const projectLabel = 'com.docker.compose.project';
const projectName = /^propagation-(?:e2e|chaos)-(?<pid>\d+)-/;

/** The Compose project of a suite's stack. It contains the process id, so that a later suite recognises the stack of a killed one. */
export function nameProject(suite: 'e2e' | 'chaos', name: string): string {
  return `propagation-${suite}-${process.pid}-${name}`;
}

/** @throws {CommandError} */
export async function removeEndedStacks(signal?: AbortSignal): Promise<void> {
  const docker = async (...args: readonly string[]) => {
    const { stdout } = await runCommand('docker', args, { signal });
    return stdout.split('\n').filter((line) => line !== '');
  };
  const format = `--format={{.Label "${projectLabel}"}}`;
  const projects = new Set([
    ...(await docker('ps', '--all', format)),
    ...(await docker('network', 'ls', format)),
    ...(await docker('volume', 'ls', format)),
  ]);
  for (const project of [...projects].filter(isEnded)) {
    const label = `--filter=label=${projectLabel}=${project}`;
    // Some containers beside a stack have no Compose label; their names begin with the project.
    const containers = [
      ...(await docker('ps', '--all', '--quiet', label)),
      ...(await docker('ps', '--all', '--quiet', `--filter=name=^${project}-`)),
    ];
    const networks = await docker('network', 'ls', '--quiet', label);
    const volumes = await docker('volume', 'ls', '--quiet', label);
    if (containers.length > 0) await docker('rm', '--force', '--volumes', ...new Set(containers));
    if (networks.length > 0) await docker('network', 'rm', ...networks);
    if (volumes.length > 0) await docker('volume', 'rm', ...volumes);
  }
}

function isEnded(project: string): boolean {
  const pid = Number(projectName.exec(project)?.groups?.pid ?? Number.NaN);
  return Number.isInteger(pid) && !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
