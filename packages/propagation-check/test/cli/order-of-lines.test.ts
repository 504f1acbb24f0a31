import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { cases } from '../cases.ts';
import { executeCli, makeFolder } from './run-cli.ts';

/** Fixed, so that every run tries the same orders. */
const seed = 20261130;

const folder = join(import.meta.dirname, '../..');
const captures = globSync('{corpus,captures}/*/spans.otlp.jsonl.gz', { cwd: folder }).sort();

interface Export {
  readonly resource?: unknown;
  readonly scopeSpans?: readonly { readonly scope?: unknown; readonly spans?: readonly unknown[] }[];
}

/** A capture as one line for each span. */
function readLines(capture: string): readonly string[] {
  const lines = gunzipSync(readFileSync(join(folder, capture)))
    .toString()
    .trimEnd()
    .split('\n');
  return lines.flatMap((line) => {
    const { resourceSpans }: { readonly resourceSpans: readonly Export[] } = JSON.parse(line);
    return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
      scopeSpans.flatMap(({ scope, spans = [] }) =>
        spans.map((span) =>
          JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [span] }] }] }),
        ),
      ),
    );
  });
}

function shuffle(lines: readonly string[], turn: number): readonly string[] {
  const key = (line: string) => createHash('sha1').update(`${turn}${line}`).digest('hex');
  return lines
    .map((line) => ({ line, key: key(line) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ line }) => line);
}

async function judge(t: TestContext, lines: readonly string[]): Promise<unknown> {
  const file = join(await makeFolder(t, {}), 'spans.jsonl');
  await writeFile(file, lines.join('\n'));
  const { stdout, stderr } = await executeCli('file', file, '--json', '--explain');
  assert.equal(stderr, '');
  return { ...JSON.parse(stdout), source: null };
}

/** Two services that may have made the same calls, names that two tenants share, and links with ids that are not valid. */
const known = ['go-chain', 'mixed-multi-tenant-same-name'].map((name): [string, number] => [
  captures.find((file) => file.includes(`/${name}/`)) ?? assert.fail(name),
  1,
]);

test('the lines of a capture in any order give the same report', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...captures), fc.nat(), async (capture, turn) => {
      const lines = readLines(capture);
      assert.deepEqual(await judge(t, shuffle(lines, turn)), await judge(t, lines), capture);
    }),
    { seed, numRuns: cases(200), examples: known },
  );
});
