/** Runs the tools of `.ci/install-kubernetes-tools`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const folder = join(
  process.env.PROPAGATION_CI_CACHE || join(homedir(), '.cache/propagation-check-ci'),
  'kubernetes-tools',
);
const names = ['kustomize', 'kubectl-validate', 'checkov', 'otelcol-contrib', 'jaeger'] as const;
export type Tool = (typeof names)[number];

const missing = names.filter((name) => !existsSync(join(folder, name)));
/** Why these tests cannot run on this machine; null when they can. */
export const obstacle =
  missing.length === 0 ? null : `no ${missing.join(', ')} in ${folder}: run .ci/install-kubernetes-tools`;

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const overlays = ['kind', 'production', 'operator'] as const;

const run = promisify(execFile);
const failure = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });
const maxBuffer = 64 * 1024 * 1024;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws When the tool cannot be started. A non-zero exit code is a result, not an error. */
export async function runTool(tool: Tool, args: readonly string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(join(folder, tool), args, { cwd: root, maxBuffer })) };
  } catch (error) {
    const { success, data } = failure.safeParse(error);
    if (success) return data;
    throw error;
  }
}

export const pathOf = (tool: Tool): string => join(folder, tool);

/** @returns The manifests as `kubectl apply` gets them. */
export async function render(overlay: (typeof overlays)[number]): Promise<string> {
  const path = `deploy/kubernetes/overlays/${overlay}`;
  const { code, stdout, stderr } = await runTool('kustomize', [
    'build',
    '--load-restrictor=LoadRestrictionsNone',
    path,
  ]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}
