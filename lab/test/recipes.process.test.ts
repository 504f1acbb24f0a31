/** Runs the commands of docs/recipes as written, in the folder of a user's project, and tests the pages' files. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { listen } from 'service-kit/testing';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'recipes');
const checker = join(root, 'packages', 'propagation-check');
const pages = readdirSync(folder).filter((name) => name !== 'README.md');
const index = readFileSync(join(folder, 'README.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly isRun: boolean;
  readonly code: string;
}

describe('the commands of recipes', () => {
  let project = '';
  let bin = '';

  before(async () => {
    // A folder in the repository, so that Node.js finds the instrumentations.
    await mkdir(join(root, 'out'), { recursive: true });
    project = await mkdtemp(join(root, 'out', 'recipes-'));
    bin = join(project, 'node_modules', '.bin');
    await mkdir(bin, { recursive: true });
    const command = join(bin, 'propagation-check');
    const options = '--conditions=trace-context-source';
    await writeFile(
      command,
      `#!/bin/sh\nexec '${process.execPath}' ${options} '${join(checker, 'src', 'cli.ts')}' "$@"\n`,
    );
    await chmod(command, 0o755);
    await cp(
      join(checker, 'test', 'exec', 'fixtures', 'node', 'node.test.mjs'),
      join(project, 'node.test.mjs'),
    );
    await cp(join(checker, 'examples', 'services'), join(project, 'services'), { recursive: true });
    const manifest = { private: true, type: 'module', scripts: { test: 'node --test node.test.mjs' } };
    await writeFile(join(project, 'package.json'), JSON.stringify(manifest));
  });
  after(() => rm(project, { recursive: true, force: true }));

  for (const page of pages) {
    const blocks = readBlocks(page);
    for (const [at, { isRun, code }] of blocks.entries()) {
      if (!isRun) continue;
      it(`${page}: ${code.split('\n').at(-1)}`, async () => {
        const expected = Number(/# exits (\d+)$/.exec(code)?.[1] ?? 0);
        const ran = await run(code);
        assert.equal(ran.code, expected, ran.output);
        assert.doesNotMatch(ran.output, /service-unnamed/);
        for (const line of printedBelow(blocks, at))
          assert.ok(ran.output.includes(line), `${line}\n\n${ran.output}`);
      });
    }
  }

  it('pull-requests.md: the script of the GitLab job', async () => {
    const [job] = readBlocks('pull-requests.md').filter(({ code }) => code.startsWith('propagation:'));
    const { propagation } = z
      .object({
        propagation: z.object({
          script: z.array(z.string()),
          artifacts: z.object({ paths: z.array(z.string()), reports: z.object({ junit: z.string() }) }),
        }),
      })
      .parse(parse(job?.code ?? ''));
    const ran = await run(propagation.script.join('\n'));
    assert.equal(ran.code, 0, ran.output);
    const { paths, reports } = propagation.artifacts;
    for (const path of [...paths, reports.junit])
      assert.ok(readFileSync(join(project, path), 'utf8') !== '', path);
  });

  function run(script: string) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|NODE_TEST_CONTEXT|FORCE_COLOR)/i.test(name),
    );
    const env = {
      ...Object.fromEntries(inherited),
      // Without the detectors that send requests to cloud metadata services.
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
      PATH: `${bin}${delimiter}${process.env.PATH}`,
    };
    return new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = execFile(
        'bash',
        ['-eo', 'pipefail', '-c', script],
        { cwd: project, env },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, output: `${stdout}${stderr}` }),
      );
    });
  }
});

describe('a page of a recipe', () => {
  for (const page of pages) {
    it(`${page} has commands that this test runs, or README.md says where they run or why not`, () => {
      const commands = readBlocks(page).filter(({ language }) => language === 'sh');
      const row = index.split('\n').find((line) => line.includes(`](${page})`));
      const [, , runs = '', without = ''] = row?.split('|') ?? [];
      assert.ok(commands.every(({ isRun }) => isRun) || /\.test\.ts/.test(runs) || without.trim() !== '');
    });

    it(`${page} has YAML that parses`, () => {
      for (const { language, code } of readBlocks(page)) {
        if (language === 'yaml')
          assert.deepEqual(
            parseAllDocuments(code).flatMap(({ errors }) => errors),
            [],
            code,
          );
      }
    });
  }
});

it('no recipe instruments the checker itself, which would then export its own spans', () => {
  for (const page of pages)
    for (const { language, code } of readBlocks(page))
      for (const [, before = ''] of code.matchAll(/^(.*?)NODE_OPTIONS(?:=|: )/gms))
        assert.match(before, /exec .*--\s+(?:\\\s+)?env $|\bexec: $/s, `${page} (${language}): ${code}`);
});

/** Each gateway in front of a service that answers with the headers that it received. */
describe('gateways.md', () => {
  const sent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const gateways = {
    nginx: {
      args: (file: string, home: string) => [
        '-p',
        home,
        '-c',
        file,
        '-e',
        'stderr',
        '-g',
        `daemon off; pid ${home}/pid; error_log stderr;`,
      ],
      locations: [
        ['/', sent],
        ['/stripped/', 'none'],
        ['/named/', sent],
      ],
      settings:
        'access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;',
    },
    haproxy: {
      args: (file: string) => ['-f', file, '-db'],
      locations: [
        ['/', sent],
        ['/stripped/', 'none'],
      ],
      settings: '',
    },
  } as const;

  for (const [name, { args, locations, settings }] of Object.entries(gateways)) {
    const isMissing = spawnSync(name, ['-v']).error !== undefined;
    it(`${name} forwards the header when the page says so`, {
      skip: isMissing && `${name} is not installed`,
    }, async (t) => {
      const home = await mkdtemp(join(root, 'out', `${name}-`));
      using service = await listen(({ headers }, response) => response.end(headers.traceparent ?? 'none'));
      const [port = 0] = await findFreePorts(1);
      const [block] = readBlocks('gateways.md').filter(({ language }) => language === name);
      const config = (block?.code ?? '')
        .replaceAll('8083', new URL(service.url).port)
        .replaceAll('8080', String(port))
        .replace('http {', `http {\n${settings}`);
      const file = join(home, 'gateway.conf');
      await writeFile(file, `${config}\n`);
      const gateway = spawn(name, args(file, home), { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
      t.after(async () => {
        if (gateway.exitCode === null) {
          gateway.kill();
          await once(gateway, 'exit');
        }
        await rm(home, { recursive: true, force: true });
      });
      for (const [path, expected] of locations) {
        const curl = [
          '-s',
          '--retry',
          '20',
          '--retry-connrefused',
          '--retry-delay',
          '1',
          '-H',
          `traceparent: ${sent}`,
        ];
        const { stdout } = await new Promise<{ stdout: string }>((resolve) =>
          execFile('curl', [...curl, `http://127.0.0.1:${port}${path}`], (_error, stdout) =>
            resolve({ stdout }),
          ),
        );
        assert.equal(stdout, expected, path);
      }
    });
  }
});

function readBlocks(page: string): readonly Block[] {
  const text = readFileSync(join(folder, page), 'utf8');
  return [...text.matchAll(/^```(\w*)( run)?\n([\s\S]*?)\n```$/gm)].map(
    ([, language = '', run, code = '']) => ({
      language,
      isRun: run !== undefined,
      code,
    }),
  );
}

/** The lines of the block without a language after a command: parts of the command's output. */
function printedBelow(blocks: readonly Block[], at: number): readonly string[] {
  const next = blocks[at + 1];
  return next?.language === '' ? next.code.split('\n') : [];
}
