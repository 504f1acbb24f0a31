import assert from 'node:assert/strict';
import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { followFiles, PartlyReadError } from '../../../src/cli/watch/follow-files.ts';
import { encodeOtlpLines } from '../../../src/span/encode-otlp-lines.ts';
import { executeCli, makeFolder } from '../run-cli.ts';
import { makeCall } from './make-calls.ts';

const at = 1_800_000_000_000;
const linesOf = (key: string) => encodeOtlpLines(makeCall(key, at));

async function follow(t: TestContext) {
  const path = join(await makeFolder(t), 'spans.jsonl');
  const { look } = followFiles([path]);
  return { path, count: async () => (await look()).length };
}

suite('files that are watched', () => {
  test('signals other than traces are noted until a file has a span', async (t) => {
    const folder = await makeFolder(t, {
      metrics: '{"resourceMetrics":[]}\n',
      logs: '{"resourceLogs":[]}\n',
    });
    const paths = ['metrics', 'logs'].map((name) => join(folder, name));
    const { look, listOtherSignals } = followFiles(paths);
    assert.equal(listOtherSignals(), null);
    await look();
    assert.deepEqual([...(listOtherSignals() ?? [])], ['metrics', 'logs']);
    const { code, stdout } = await executeCli('watch', '--once', ...paths);
    assert.equal(code, 2);
    assert.match(
      stdout.replaceAll(/\s+/g, ' '),
      /: no span in it; it holds metrics and logs; give a file with traces/,
    );
    await appendFile(paths[0] ?? '', linesOf('one'));
    assert.ok((await look()).length > 0);
    assert.equal(listOtherSignals(), null);
  });

  test('gives the added spans of whole lines', async (t) => {
    const { path, count } = await follow(t);
    await writeFile(path, linesOf('one'));
    assert.equal(await count(), 3);
    assert.equal(await count(), 0);
    const [first = '', ...rest] = linesOf('two').split(/(?<=\n)/);
    await appendFile(path, first.slice(0, 50));
    assert.equal(await count(), 0);
    await appendFile(path, first.slice(50));
    const added = await count();
    assert.ok(added > 0 && added < 3, `${added} spans of the first line`);
    await appendFile(path, rest.join(''));
    assert.equal(await count(), 3 - added);
  });

  test('are read from their beginning after they were replaced or truncated', async (t) => {
    const { path, count } = await follow(t);
    await writeFile(path, linesOf('one').repeat(2));
    assert.equal(await count(), 6);
    await writeFile(`${path}.new`, linesOf('two').repeat(2));
    await rename(`${path}.new`, path);
    assert.equal(await count(), 6);
    await writeFile(path, linesOf('three'));
    assert.equal(await count(), 3);
  });

  test('may be documents, which are read again when they change', async (t) => {
    const { path, count } = await follow(t);
    const [line = ''] = linesOf('one').split('\n');
    const pretty = JSON.stringify(JSON.parse(line), null, 2);
    await writeFile(path, pretty);
    const spans = await count();
    assert.ok(spans > 0);
    assert.equal(await count(), 0);
    await writeFile(path, `${pretty}\n\n`);
    assert.equal(await count(), spans);
    await writeFile(path, gzipSync(linesOf('two')));
    assert.equal(await count(), 3);
  });

  test('report faults, and continue when these are corrected', async (t) => {
    const { path, count } = await follow(t);
    await assert.rejects(count(), { name: 'SourceError', message: /spans\.jsonl: no such file/ });
    await writeFile(path, 'nothing of spans\n');
    for (let look = 0; look < 2; look += 1)
      await assert.rejects(count(), { name: 'SourceError', message: /spans\.jsonl: / });
    await rm(path);
    await writeFile(path, linesOf('one'));
    assert.equal(await count(), 3);
    await appendFile(path, '{"resourceSpans":[{"scope\n');
    await assert.rejects(count(), {
      name: 'SourceError',
      message: /26 bytes that were added are left out: /,
    });
    await appendFile(path, linesOf('two'));
    assert.equal(await count(), 3);
  });

  test('give the spans of one file while another has never existed', async (t) => {
    const folder = await makeFolder(t, { one: linesOf('one') });
    const { look } = followFiles(['zero', 'one', 'two'].map((name) => join(folder, name)));
    await assert.rejects(look(), (error) => {
      assert.ok(error instanceof PartlyReadError);
      assert.match(error.message, /zero: no such file.*two: no such file/);
      assert.equal(error.spans.length, 3);
      return true;
    });
    await writeFile(join(folder, 'zero'), linesOf('zero'));
    await writeFile(join(folder, 'two'), linesOf('two'));
    assert.equal((await look()).length, 6);
  });

  test('hold spans back while a file that was read before is missing', async (t) => {
    const folder = await makeFolder(t, { one: linesOf('one'), two: linesOf('two') });
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    const { look } = followFiles([one, two]);
    assert.equal((await look()).length, 6);
    await rename(two, `${two}.away`);
    await appendFile(one, linesOf('three'));
    await assert.rejects(look(), (error) => {
      assert.ok(!(error instanceof PartlyReadError));
      assert.match(String(error), /two: no such file/);
      return true;
    });
    await rename(`${two}.away`, two);
    assert.equal((await look()).length, 3);
  });
});
