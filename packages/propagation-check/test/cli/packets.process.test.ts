import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { makeFolder, runCli } from './run-cli.ts';

const captures = join(import.meta.dirname, '../packets/captures');

/** Spans of the demo behind a proxy that strips the header, without recorded headers, and a tcpdump capture of both sides of the proxy. */
suite('a capture of packets beside spans', () => {
  test('decides the cause', async (t) => {
    const folder = await makeFolder(t, {});
    const spans = join(folder, 'spans.json');
    const text = await readFile(join(captures, 'stripped.otlp.json'), 'utf8');
    // The host name of the machine on which the capture was made, as a resource detector gives it.
    await writeFile(spans, text.replaceAll('HOST', 'elsewhere'));
    const capture = join(captures, 'stripped.pcap');
    const [alone, beside] = await Promise.all([
      runCli(t, ['file', spans, '--json']),
      runCli(t, ['file', spans, '--wire', capture, '--json']),
    ]);
    assert.deepEqual(
      [alone, beside].map(({ code, stdout }) => [code, JSON.parse(stdout).findings[0].id]),
      [
        [1, 'split-trace'],
        [1, 'header-stripped'],
      ],
    );
  });

  test('may hold only its file header while a command runs', async (t) => {
    const begun = (await readFile(join(captures, 'plain.pcap'))).subarray(0, 24);
    const folder = await makeFolder(t, {});
    await writeFile(join(folder, 'begun.pcap'), begun);
    const wire = ['--wire', join(folder, 'begun.pcap')];
    const { code, stdout, stderr } = await runCli(t, [
      'exec',
      ...wire,
      '--settle',
      '1ms',
      '--',
      'echo',
      'done',
    ]);
    assert.deepEqual([code, stdout], [2, 'done\n']);
    assert.match(stderr, /begun\.pcap: holds no packet/);
  });

  test('is refused in one line with the reason', async (t) => {
    const cut = join(captures, 'cut.pcap');
    const folder = await makeFolder(t, {
      spans: await readFile(join(captures, 'stripped.otlp.json'), 'utf8'),
    });
    const { code, stdout, stderr } = await runCli(t, ['file', join(folder, 'spans'), '--wire', cut]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^propagation-check: --wire .*cut\.pcap: holds no whole request, as its packets are cut short; capture with -s 0\n$/,
    );
  });

  test('has notes on what was left out', async (t) => {
    const whole = await readFile(join(captures, 'stripped.pcap'));
    const folder = await makeFolder(t, {
      spans: await readFile(join(captures, 'stripped.otlp.json'), 'utf8'),
    });
    const path = join(folder, 'cut.pcap');
    await writeFile(path, whole.subarray(0, -10));
    const { stdout } = await runCli(t, ['file', join(folder, 'spans'), '--wire', path, '--json']);
    assert.match(JSON.parse(stdout).notes.join(), /cut\.pcap: it ends within a packet/);
  });
});
