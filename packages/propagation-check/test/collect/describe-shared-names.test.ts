import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { check } from '../../src/index.ts';
import { executeCli } from '../cli/run-cli.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** `web` of each namespace calls `cart` of the next one; `-` stands for no namespace. */
function draw(...namespaces: readonly string[]) {
  const inside = (at: number): string => {
    const namespace = namespaces[at % namespaces.length];
    return namespace === '-' ? '' : `resource:service.namespace=${namespace}`;
  };
  return readDrawing(
    namespaces
      .map(
        (_, at) => `trace ${at + 1}
  web      CLIENT "GET" ${at * 100}..${at * 100 + 50} http.request.method=GET url.full=http://cart/c ${inside(at)}
    cart   SERVER "GET /c" ${at * 100 + 10}..${at * 100 + 40} http.request.method=GET url.path=/c ${inside(at + 1)}`,
      )
      .join('\n'),
  ).spans;
}

suite('names that several namespaces share', () => {
  const says = (name: string, namespaces: string): string =>
    `note  ${namespaces.split(', ').length} namespaces share the name ${name} (service.namespace: ${namespaces}) and are judged as one service`;
  const rows: Readonly<Record<string, readonly [namespaces: readonly string[], said: readonly string[]]>> = {
    'each shared name is noted once': [
      ['shop', 'billing'],
      [says('cart', 'billing, shop'), says('web', 'billing, shop')],
    ],
    'no name is noted if some instances have no namespace': [['shop', '-'], []],
    'no name is noted if all have one namespace': [['shop', 'shop'], []],
  };
  for (const [name, [namespaces, said]] of Object.entries(rows))
    test(name, async () => {
      const { outcome, explanation } = await check(draw(...namespaces));
      assert.equal(outcome, 'passed');
      const notes = explanation.replaceAll(/\n {6}/g, ' ').split('\n');
      assert.deepEqual(
        notes.filter((line) => line.startsWith('note')).map((line) => line.replace(/:[^:]*$/, '')),
        said,
      );
    });

  test('every command notes two tenants with one name', async () => {
    const capture = join(
      import.meta.dirname,
      '../../captures/mixed-multi-tenant-same-name/spans.otlp.jsonl.gz',
    );
    for (const command of ['file', 'audit']) {
      const { stdout } = await executeCli(command, capture, '--json');
      assert.match(
        JSON.parse(stdout).notes.join('\n'),
        /2 namespaces share the name orders \(service.namespace: t1, t2\)/,
      );
    }
  });
});
