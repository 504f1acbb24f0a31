import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findStackPlace } from '../find-stack-place.ts';
import { CommandError, type Output, runCommand } from '../run-command.ts';
import { type Container, readContainer } from './container.ts';

/** A service of `docker-compose.yml`. */
export type ServiceName = 'service-a' | 'service-b' | 'otel-collector' | 'jaeger';

export const serviceNames: readonly ServiceName[] = ['service-a', 'service-b', 'otel-collector', 'jaeger'];

/** The real stack of `docker-compose.yml` with its own project name and ports. */
export interface Stack {
  readonly project: string;
  /** As seen from the host. */
  readonly serviceA: URL;
  /** As seen from the host. */
  readonly jaeger: URL;
  /** Runs `docker …`. @throws {CommandError} */
  docker(...args: readonly string[]): Promise<Output>;
  /** @throws {CommandError} */
  inspect(service: ServiceName): Promise<Container>;
  /** Runs `docker start` and waits until the service is healthy. @throws {RecoveryError} when it does not become healthy. */
  start(service: ServiceName): Promise<void>;
  /** Replaces a service's container and waits until it is healthy. @throws {RecoveryError} when it does not become healthy. */
  replace(service: ServiceName): Promise<void>;
  /** Waits until every service runs and is healthy, and starts none. @throws {RecoveryError} when one does not become healthy. */
  awaitAll(): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after the service's grace period. @returns The exit code. @throws {CommandError} */
  stop(service: ServiceName): Promise<number>;
  /** SIGKILL. @throws {CommandError} */
  kill(service: ServiceName): Promise<void>;
  /** Runs Node code in a new container that shares a service's network. @returns Its output. @throws {CommandError} */
  runNode(service: ServiceName, code: string): Promise<string>;
  /** Removes every container, network and volume of the stack. */
  close(): Promise<void>;
}

export interface StackOptions {
  readonly project: string;
  /** Merged over `docker-compose.yml`. */
  readonly override: ComposeOverride;
  readonly signal: AbortSignal;
}

/** Changes of `docker-compose.yml` for one run. Source: Compose specification. */
export interface ComposeOverride {
  readonly services?: Readonly<Record<string, ServiceOverride>>;
  readonly volumes?: Readonly<
    Record<string, { readonly driver: 'local'; readonly driver_opts: Readonly<Record<string, string>> }>
  >;
}

export interface ServiceOverride {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
}

/** A part of the stack did not recover from a fault. The message names it and its state. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError';
}

const startTimeoutMs = 180_000;
const pollMs = 100;

/** The one image of all Node.js containers, built once for all stacks of this process. */
export const stackImage = `trace-context-propagation-chaos:${process.pid}`;

/** Builds `stackImage`. @throws {CommandError} In this case no image is left behind. */
export async function buildImage(override: ComposeOverride, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  try {
    const path = join(folder, 'override.json');
    await writeFile(path, JSON.stringify(override));
    await runCommand('docker', [...composeFiles(path), '--profile', '*', 'build'], { signal });
  } catch (error) {
    await removeImage();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes the image. The build cache keeps its layers, so that the next build takes seconds. @throws {CommandError} */
export async function removeImage(): Promise<void> {
  const listed = await runCommand('docker', ['image', 'ls', '--quiet', stackImage]);
  if (listed.stdout.trim() !== '') await runCommand('docker', ['image', 'rm', stackImage]);
}

/**
 * Starts the stack from local images and waits until it is healthy.
 * @throws {CommandError} In this case nothing of the stack is left behind.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { serviceA, jaeger, variables } = await findStackPlace();
  const { compose, remove } = await prepareCompose(options, variables);
  const up = (...args: readonly string[]) =>
    compose('up', '--detach', '--wait', '--no-build', '--quiet-pull', ...args);
  const stack: Stack = {
    project: options.project,
    serviceA,
    jaeger,
    ...createContainers(options),
    replace: (service) => expectRecovery(() => up('--no-deps', '--force-recreate', service)),
    close: remove,
  };
  try {
    await up();
    return stack;
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** Runs `docker compose` for the stack, and removes the stack. */
interface Compose {
  compose(...args: readonly string[]): Promise<Output>;
  remove(): Promise<void>;
}

async function prepareCompose(
  { project, override, signal }: StackOptions,
  variables: Readonly<Record<string, string>>,
): Promise<Compose> {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  const overridePath = join(folder, 'override.json');
  await writeFile(overridePath, JSON.stringify(override));
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...variables,
    FAULT: '',
    PROPAGATION: 'auto',
    // The account needs the log of ended spans.
    LOG_SPANS: 'true',
    LOG_LEVEL: 'warn',
  };
  const run = (args: readonly string[], options: { readonly signal?: AbortSignal }) =>
    runCommand('docker', [...composeFiles(overridePath), '--project-name', project, ...args], {
      env,
      ...options,
    });
  return {
    compose: (...args) => run(args, { signal }),
    remove: async () => {
      // Without the signal, so that the stack is removed even after an abort.
      await removeStack(project, (args) => run(args, {}));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Operations on single containers of a stack. */
function createContainers({
  project,
  signal,
}: StackOptions): Omit<Stack, 'project' | 'serviceA' | 'jaeger' | 'replace' | 'close'> {
  const docker = (...args: readonly string[]) => runCommand('docker', args, { signal });
  const idOf = async (service: ServiceName): Promise<string> => {
    const filters = [`project=${project}`, `service=${service}`, 'oneoff=False'];
    const labels = filters.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`]);
    const { stdout } = await docker('ps', '--all', '--quiet', '--no-trunc', ...labels);
    const [id] = stdout.trim().split('\n');
    if (!id) throw new CommandError(`${project}: there is no container of ${service}`);
    return id;
  };
  const inspect = async (service: ServiceName): Promise<Container> => {
    const { stdout } = await docker('inspect', '--type', 'container', await idOf(service));
    return readContainer(JSON.parse(stdout));
  };
  return {
    docker,
    inspect,
    start: (service) =>
      expectRecovery(async () => {
        await docker('start', await idOf(service));
        await awaitHealth(service, inspect, signal);
      }),
    awaitAll: () =>
      expectRecovery(() =>
        Promise.all(serviceNames.map((service) => awaitHealth(service, inspect, signal, { mayStart: true }))),
      ),
    stop: async (service) => {
      await docker('stop', await idOf(service));
      return (await inspect(service)).exitCode;
    },
    kill: async (service) => void (await docker('kill', '--signal', 'KILL', await idOf(service))),
    runNode: async (service, code) => {
      const place = ['--network', `container:${await idOf(service)}`];
      return (await docker('run', '--rm', ...place, '--entrypoint', 'node', stackImage, '--eval', code))
        .stdout;
    },
  };
}

function composeFiles(overridePath: string): readonly string[] {
  return ['compose', '--file', 'docker-compose.yml', '--file', overridePath];
}

/** First removes containers that were started beside the services, because they use the stack's networks and volumes. */
async function removeStack(
  project: string,
  compose: (args: readonly string[]) => Promise<Output>,
): Promise<void> {
  const { stdout } = await runCommand('docker', ['ps', '-aq', '--filter', `label=chaos.project=${project}`]);
  const beside = stdout.split('\n').filter((id) => id !== '');
  if (beside.length > 0) await runCommand('docker', ['rm', '--force', '--volumes', ...beside]);
  await compose(['--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '0']);
}

async function expectRecovery(recover: () => Promise<unknown>): Promise<void> {
  try {
    await recover();
  } catch (error) {
    throw error instanceof CommandError ? new RecoveryError(error.message) : error;
  }
}

/** @param mayStart Whether the service may still be stopped, because something else starts it. */
async function awaitHealth(
  service: ServiceName,
  inspect: Stack['inspect'],
  signal: AbortSignal,
  { mayStart = false } = {},
): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const { isRunning, health, exitCode } = await inspect(service);
    if (isRunning && (health === null || health === 'healthy')) return;
    if (!isRunning && !mayStart)
      throw new CommandError(`${service} has ended with exit code ${exitCode} after its start`);
    if (performance.now() > deadline) {
      const state = isRunning ? health : 'not running';
      throw new CommandError(`${service} is ${state} ${startTimeoutMs / 1000} s after its start`);
    }
    await delay(pollMs, undefined, { signal });
  }
}
