import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameProject } from '../ended-stacks.ts';
import { findStackPlace, type StackPlace } from '../find-stack-place.ts';

const root = join(import.meta.dirname, '..', '..');
/** The image of all Node.js containers in `docker-compose.yml`. */
const image = 'trace-context-propagation';
const outputLimit = 64 * 1024 * 1024;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real stack of `docker-compose.yml` with its own project name and ports. */
export interface ComposeStack extends Omit<StackPlace, 'variables'> {
  /** Runs `docker compose …` with the variables of the stack; resolves with any exit code. */
  compose(args: readonly string[], variables?: Variables): Promise<Ran>;
  /** Starts a container beside the stack, in some of its networks; `--rm` removes it when it is stopped. */
  runBeside(name: string, networks: readonly string[], args: readonly string[]): Promise<Ran>;
  stopBeside(name: string): Promise<Ran>;
  /** `docker inspect` of a service's container. */
  inspect(service: string): Promise<Ran>;
  /** Runs a script of `probes/` in a container that shares a namespace with that of a running service. */
  probe(service: string, probe: Probe): Promise<Ran>;
  /** Runs a script of `probes/` in a new container of a service. */
  probeNew(service: string, script: string, args?: readonly string[]): Promise<Ran>;
  /** Writes files to a volume of the stack, each readable only by the user `uid`. */
  writeVolume(volume: string, uid: number, files: Readonly<Record<string, string>>): Promise<Ran>;
  /** Runs a script of `probes/` on the host. */
  probeHost(script: string, args?: readonly string[]): Promise<Ran>;
  /** Runs a script of the project on the host against the stack. */
  script(name: string, args: readonly string[]): Promise<Ran>;
  /** Removes every container, network and volume of the stack. The image stays: other stacks run it. */
  close(): Promise<void>;
}

export interface Probe {
  readonly namespace: 'network' | 'pid';
  readonly script: string;
  readonly args?: readonly string[];
  /** User and group id: the kernel shows the details of a process only to its own user. */
  readonly user?: number;
}

export type Variables = Readonly<Record<string, string>>;

type Docker = (args: readonly string[], changed?: Variables) => Promise<Ran>;

/** Why the stack cannot run on this machine; null when it can. */
export async function findObstacle(): Promise<string | null> {
  const engine = await run('docker', ['version', '--format', '{{.Server.Version}}'], process.env);
  if (engine.code !== 0) return `no Docker engine answers: ${firstLine(engine)}`;
  const compose = await run('docker', ['compose', 'version', '--short'], process.env);
  return compose.code === 0 ? null : `no Docker Compose: ${firstLine(compose)}`;
}

export async function createStack(mode: 'auto' | 'manual', own: Variables = {}): Promise<ComposeStack> {
  const { serviceA, serviceB, jaeger, variables } = await findStackPlace();
  const project = nameProject('e2e', mode);
  const environment = {
    ...process.env,
    ...variables,
    PROPAGATION: mode,
    FAULT: '',
    TLS: '',
    KAFKA: '',
    OBSERVE: '',
    NO_COLOR: '1',
    ...own,
  };
  const docker: Docker = (args, changed = {}) => run('docker', args, { ...environment, ...changed });
  const compose: ComposeStack['compose'] = (args, changed) =>
    docker(['compose', '--project-name', project, ...args], changed);
  return {
    serviceA,
    serviceB,
    jaeger,
    compose,
    ...createProbes(project, docker, compose),
    runBeside: (name, networks, args) => {
      const joined = networks.flatMap((network) => ['--network', `${project}_${network}`]);
      return docker(['run', '--detach', '--rm', '--name', `${project}-${name}`, ...joined, ...args]);
    },
    stopBeside: (name) => docker(['stop', '--time', '5', `${project}-${name}`]),
    inspect: (service) => docker(['inspect', `${project}-${service}-1`]),
    probeHost: async (script, args = []) =>
      run(process.execPath, [...(await readProbe(script)), ...args], environment),
    script: (name, args) =>
      run(process.execPath, ['--conditions=trace-context-source', join('scripts', name), ...args], {
        ...environment,
        COMPOSE_PROJECT_NAME: project,
        SERVICE_A_URL: serviceA.href,
        JAEGER_URL: jaeger.href,
      }),
    close: async () => {
      const everything = ['--volumes', '--remove-orphans'];
      expectSuccess(await compose(['--profile', '*', 'down', ...everything, '--timeout', '10']));
    },
  };
}

/** Runs scripts in containers beside those of the stack. */
function createProbes(
  project: string,
  docker: Docker,
  compose: ComposeStack['compose'],
): Pick<ComposeStack, 'probe' | 'probeNew' | 'writeVolume'> {
  return {
    probe: async (service, { namespace, script, args = [], user = 1000 }) => {
      const container = `container:${project}-${service}-1`;
      const shared =
        namespace === 'pid' ? ['--network=none', `--pid=${container}`] : [`--network=${container}`];
      // With the restrictions of the examined container and no more: the kernel shows a process only to processes with at least its privileges.
      const locked = [
        `--user=${user}:${user}`,
        '--cap-drop=ALL',
        '--security-opt=no-new-privileges',
        '--read-only',
      ];
      return docker([
        ...['run', '--rm', ...shared, ...locked, image],
        ...['node', ...(await readProbe(script)), ...args],
      ]);
    },
    probeNew: async (service, script, args = []) => {
      const once = ['run', '--rm', '--no-deps', '--no-TTY', '--entrypoint', 'node', service];
      return compose([...once, ...(await readProbe(script)), ...args]);
    },
    writeVolume: async (volume, uid, files) => {
      const mount = `--volume=${project}_${volume}:/volume`;
      const command = ['node', ...(await readProbe('write-files.ts')), JSON.stringify(files), String(uid)];
      return docker(['run', '--rm', '--network=none', '--user=0:0', mount, image, ...command]);
    },
  };
}

/** The script as an argument of `node`, because a read-only container cannot take a file. */
async function readProbe(name: string): Promise<readonly string[]> {
  const source = await readFile(join(import.meta.dirname, 'probes', name), 'utf8');
  return ['--input-type=module-typescript', '--eval', source];
}

/** @throws {Error} with the command's output, unless its exit code is 0. */
export function expectSuccess(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`exit code ${ran.code}\n${ran.stderr}\n${ran.stdout}`);
  return ran;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      { cwd: root, env, maxBuffer: outputLimit },
      (error, stdout, stderr) => {
        const said = error !== null && child.exitCode === null ? `${stderr}${error.message}` : stderr;
        resolve({ code: child.exitCode ?? (error === null ? 0 : 127), stdout, stderr: said });
      },
    );
  });
}

function firstLine({ stderr, stdout }: Ran): string {
  return (stderr || stdout).trim().split('\n', 1)[0] ?? '';
}
