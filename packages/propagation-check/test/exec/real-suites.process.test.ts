/** `exec` around unchanged test suites of several languages. A language without its tools is skipped, with the reason. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { entry } from '../cli/run-cli.ts';
import { findMissing } from '../sdks/find-missing.ts';
import { withoutProject } from './without-project.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const services = fileURLToPath(new URL('../../examples/services', import.meta.url));
const nodeFolder = dirname(process.execPath);

interface Suite {
  readonly name: string;
  /** The folder in `fixtures`. */
  readonly source: string;
  /** Programs that must be on the PATH. */
  readonly tools: readonly string[];
  /** The package that CI has to install; null where CI has the tools. */
  readonly toRunInCi: string | null;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Prepares a copy of the folder. @returns A folder for the PATH. */
  prepare(folder: string): Promise<string>;
}

/** The SDK for Node.js, without detectors that call metadata services of clouds. */
const withNodeSdk = {
  NODE_OPTIONS: `--import ${import.meta.resolve('@opentelemetry/auto-instrumentations-node/register')}`,
  OTEL_NODE_RESOURCE_DETECTORS: 'env',
};

const suites: readonly Suite[] = [
  {
    name: 'node:test',
    source: 'node',
    tools: [],
    toRunInCi: null,
    command: ['node', '--test', 'node.test.mjs'],
    env: withNodeSdk,
    prepare: async (folder) => {
      await cp(services, join(folder, 'services'), { recursive: true });
      return nodeFolder;
    },
  },
  {
    name: 'Vitest',
    source: 'node',
    tools: [],
    toRunInCi: null,
    command: ['vitest', 'run', 'vitest.test.mjs'],
    env: withNodeSdk,
    prepare: async (folder) => {
      await cp(services, join(folder, 'services'), { recursive: true });
      const args = ['install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund', 'vitest@5.1.2'];
      await run('npm', args, { cwd: folder, env: withoutProject() });
      return join(folder, 'node_modules/.bin');
    },
  },
  {
    name: 'pytest',
    source: 'python',
    tools: ['python3'],
    toRunInCi: 'python3-venv',
    command: ['opentelemetry-instrument', 'pytest', '-q'],
    prepare: async (folder) => {
      await run('python3', ['-m', 'venv', 'venv'], { cwd: folder });
      const pip = ['-m', 'pip', 'install', '--quiet', '-r', 'requirements.txt'];
      await run(join(folder, 'venv/bin/python'), pip, { cwd: folder });
      return join(folder, 'venv/bin');
    },
  },
  {
    name: 'Maven Surefire',
    source: 'java',
    tools: ['java', 'mvn'],
    toRunInCi: 'default-jdk-headless and maven',
    command: ['mvn', '-q', '-B', 'test'],
    prepare: async () => nodeFolder,
  },
];

for (const suite of suites) {
  const missing = await findMissing(suite.tools);
  const isRequired = process.env.CI === 'true' && suite.toRunInCi === null;
  const skip =
    missing.length > 0 && !isRequired
      ? `${missing.join(' and ')} is not installed; in CI, .ci/install-engine would need ${suite.toRunInCi}`
      : false;

  describe(suite.name, { skip }, () => {
    let folder = '';
    let path = '';
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'exec-'));
      await cp(join(here, 'fixtures', suite.source), folder, { recursive: true });
      path = await suite.prepare(folder);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const check = async (env: NodeJS.ProcessEnv) => {
      const report = join(folder, 'report.json');
      const args = [
        'exec',
        '--expect',
        'web -> orders',
        '--report',
        `json=${report}`,
        '--',
        ...suite.command,
      ];
      const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
        cwd: folder,
        env: {
          ...withoutProject(),
          ...suite.env,
          PATH: [path, nodeFolder, process.env.PATH].join(delimiter),
          OTEL_SERVICE_NAME: 'suite',
          ...env,
        },
        encoding: 'utf8',
      });
      return { status, stdout, stderr, ...JSON.parse(await readFile(report, 'utf8')) };
    };

    test('passes, and propagation is intact', async () => {
      const { status, stderr, verdict, edges, command } = await check({});
      assert.deepEqual([status, verdict], [0, 'intact'], stderr);
      assert.deepEqual(command, { name: suite.command[0], exitCode: 0 });
      assert.ok(hasEdge(edges, { client: 'web', server: 'orders', calls: 1, broken: 0 }), stderr);
    });

    test('passes, and propagation is broken: exit code 1', async () => {
      const { status, stderr, verdict, edges, command } = await check({ OTEL_PROPAGATORS: 'baggage' });
      assert.deepEqual([status, verdict, command.exitCode], [1, 'broken', 0], stderr);
      assert.ok(hasEdge(edges, { client: 'web', server: 'orders', calls: 1, broken: 1 }), stderr);
    });
  });
}

function hasEdge(edges: readonly object[], expected: object): boolean {
  return edges.some((edge) =>
    Object.entries(expected).every(([key, value]) => Reflect.get(edge, key) === value),
  );
}
