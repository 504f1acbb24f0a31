import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { parse } from 'yaml';
import { z } from 'zod';
import { run } from './run.ts';

const root = join(import.meta.dirname, '..', '..');
const checker = join(root, 'packages', 'propagation-check');
const sender = join(checker, 'test', 'exec', 'send-spans.mjs');
const send = (kind: string) => `node '${sender}' ${kind}`;

const actionSchema = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
  runs: z.object({
    steps: z.array(
      z.object({
        id: z.string().optional(),
        run: z.string().optional(),
        uses: z.string().optional(),
        env: z.record(z.string(), z.string()).optional(),
        'working-directory': z.string().optional(),
        with: z.record(z.string(), z.string()).optional(),
      }),
    ),
  }),
});
type Step = z.infer<typeof actionSchema>['runs']['steps'][number];

const action = actionSchema.parse(parse(await readFile(join(root, 'action.yml'), 'utf8')));
const [install, check, upload] = action.runs.steps;

/** Runs the steps of action.yml in the environment of a GitHub runner, with the packed checker. */
describe('the action', () => {
  let temp = '';
  let workspace = '';

  before(async () => {
    temp = await mkdtemp(join(tmpdir(), 'propagation-check-runner-'));
    workspace = join(temp, 'workspace');
    await mkdir(workspace);
    await promisify(execFile)('npm', ['pack', '--pack-destination', workspace], {
      cwd: checker,
    });
    await cp(join(checker, 'captures', 'java-proxy-strips'), join(workspace, 'capture'), { recursive: true });
    const tarball = (await readdir(workspace)).find((name) => name.endsWith('.tgz'));
    assert.ok(tarball !== undefined);
    const installed = await runStep(install, { package: tarball });
    assert.equal(installed.code, 0, installed.log);
  });
  after(() => rm(temp, { recursive: true, force: true }));

  it('passes a test suite whose edges are intact', async () => {
    const { code, log, outputs, summary } = await runStep(check, {
      exec: send('intact'),
      expect: 'web -> orders',
      options: '--settle=300ms',
    });
    assert.deepEqual([code, outputs.verdict], [0, 'intact'], log);
    assert.match(log, /^::notice title=Trace context propagation%3A INTACT::/m);
    assert.match(summary, /web.*orders/);
    assert.match(await readFile(join(outputs.reports ?? '', 'report.html'), 'utf8'), /^<!doctype html>/i);
    assert.match(upload?.with?.path ?? '', /^\$\{\{ steps\.check\.outputs\.reports \}\}$/);
  });

  it('fails a test suite with a broken edge, and annotates it', async () => {
    const { code, log, outputs, summary } = await runStep(check, {
      exec: `true\n${send('broken')}`,
      options: '--settle=300ms',
    });
    assert.deepEqual([code, outputs.verdict], [1, 'broken'], log);
    assert.match(log, /^::error title=web → orders%3A split-trace::/m);
    assert.match(summary, /```mermaid/);
    assert.ok(existsSync(join(outputs.reports ?? '', 'report.json')));
  });

  it('exits with the exit code of the command', async () => {
    const { code, outputs } = await runStep(check, {
      exec: `${send('intact')}\nfalse\n${send('broken')}`,
      options: '--settle=300ms',
    });
    assert.deepEqual([code, outputs.verdict], [1, 'intact']);
  });

  it('sends a request to a running system', async (t) => {
    const [port] = await findFreePorts(1);
    const services = pathToFileURL(join(checker, 'examples', 'services', 'start-services.mjs')).href;
    const { startServices } = await import(services);
    const { url, stop } = await startServices({
      ...process.env,
      NODE_OPTIONS: `--import ${import.meta.resolve('@opentelemetry/auto-instrumentations-node/register')}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
    });
    t.after(stop);
    const { code, log, outputs } = await runStep(check, {
      run: url,
      source: `otlp=127.0.0.1:${port}`,
      expect: 'web -> orders',
    });
    assert.deepEqual([code, outputs.verdict], [0, 'intact'], log);
  });

  it('checks files', async () => {
    const { code, log, outputs } = await runStep(check, {
      file: 'spans.otlp.jsonl.gz',
      'working-directory': 'capture',
    });
    assert.deepEqual([code, outputs.verdict], [1, 'broken'], log);
  });

  it('without a result, annotates the reason', async () => {
    const { code, log, outputs } = await runStep(check, {
      run: 'http://localhost:1/',
      source: 'jaeger=nowhere',
    });
    assert.deepEqual([code, outputs.verdict], [2, 'unknown']);
    assert.match(log, /^::error title=propagation-check::.*nowhere/m);
  });

  for (const inputs of [{}, { exec: 'true', file: 'spans.json' }]) {
    it(`refuses ${Object.keys(inputs).length} commands`, async () => {
      const { code, log } = await runStep(check, inputs);
      assert.equal(code, 2);
      assert.match(log, /^::error title=propagation-check::one of the inputs exec, run and file is needed/m);
    });
  }

  it('runs no input as code and passes none as an option', async () => {
    const hostile = `"; touch made; $(touch made) \`touch made\` '; touch made; #`;
    for (const name of Object.keys(action.inputs)) {
      if (name === 'exec' || name === 'working-directory') continue;
      const { code } = await runStep(name === 'package' ? install : check, {
        file: 'spans.json',
        [name]: hostile,
      });
      assert.notEqual(code, 0, name);
      assert.ok(!existsSync(join(workspace, 'made')), name);
    }
    const asOption = await runStep(check, { file: '--report=json=made' });
    assert.match(asOption.log, /--report=json=made: no such file/);
    assert.ok(!existsSync(join(workspace, 'made')));
  });

  it('has only outputs of existing steps', async () => {
    const text = await readFile(join(root, 'action.yml'), 'utf8');
    const ids = action.runs.steps.map(({ id }) => id);
    for (const [, id = ''] of text.matchAll(/\bsteps\.([a-z]+)\./g)) assert.ok(ids.includes(id), id);
  });

  it('has no expression in a script, and only inputs as variables', async () => {
    for (const { run = '', env = {} } of action.runs.steps) {
      assert.doesNotMatch(run, /\$\{\{/);
      for (const value of Object.values(env)) assert.match(value, /^\$\{\{ inputs\.[a-z]+ \}\}$/);
    }
  });

  async function runStep(step: Step | undefined, given: Readonly<Record<string, string>>) {
    assert.ok(step?.run !== undefined);
    const folder = await mkdtemp(join(temp, 'step-'));
    const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
    for (const file of Object.values(files)) await writeFile(file, '');
    const fill = (text: string) =>
      text.replace(
        /\$\{\{ inputs\.([a-z-]+) \}\}/g,
        (_, name) => given[name] ?? action.inputs[name]?.default ?? '',
      );
    const variables = Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]);
    const { code, log } = await runBash(step.run, join(workspace, fill(step['working-directory'] ?? '.')), {
      ...inherited(),
      ...Object.fromEntries(variables),
      ...files,
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION_PATH: root,
      RUNNER_TEMP: temp,
    });
    const outputs = Object.fromEntries(
      (await readFile(files.GITHUB_OUTPUT, 'utf8')).split('\n').map((line) => line.split('=', 2)),
    );
    return { code, log, outputs, summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8') };
  }
});

/** Runs a script as a runner does with `shell: bash`; both output streams are the step's log. */
async function runBash(script: string, cwd: string, env: NodeJS.ProcessEnv) {
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script];
  const { code, stdout, stderr } = await run('bash', args, { cwd, env });
  return { code, log: stdout + stderr };
}

/** The environment without the variables that npm and node:test set for their children. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST_CONTEXT|FORCE_COLOR)/i.test(name)),
  );
}
