import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BaselineError, readBaseline, renderBaseline } from '../../src/config/read-baseline.ts';
import type { Baseline } from '../../src/verdict/apply-baseline.ts';

suite('a baseline', () => {
  test('is read as it was written', () => {
    const baseline: Baseline = [
      { client: 'a: b', server: null, finding: 'missing-server' },
      {
        client: 'web',
        server: '- orders # 1',
        protocol: 'rpc',
        finding: 'split-trace',
        cause: 'header-stripped',
      },
    ];
    assert.deepEqual(readBaseline(renderBaseline(baseline)), baseline);
    assert.deepEqual(readBaseline(renderBaseline([])), []);
  });

  test('has one key on each line', () => {
    const text = renderBaseline([{ client: 'web', server: 'orders', finding: 'split-trace' }]);
    assert.ok(text.endsWith('known:\n  - client: web\n    server: orders\n    finding: split-trace\n'), text);
  });

  test('reports all of its faults', () => {
    const text =
      'known:\n  - { client: a, finding: split-trac }\n  - 3\n  - { client: a, server: b, finding: split-trace, id: 1 }\n';
    const refuse = (wrong: string, ...faults: readonly string[]) =>
      assert.throws(() => readBaseline(wrong), new BaselineError(faults.join('; ')));
    refuse(
      text,
      '2:5: known.0.server: expected the name of a service, or null where it is unknown',
      '2:27: known.0.finding: expected a finding; propagation-check explain lists all',
      '3:5: known.1: expected a map of client, server, protocol, finding or cause',
      '4:51: known.2: unknown key "id"; known here: client, server, protocol, finding, cause',
    );
    refuse('', '1:1: empty; expected known; write one, or do without the file');
    refuse('known: 1', '1:8: known: expected a list');
  });
});

test('consequences of a syntax error are not reported', () => {
  const line = '{"time":"a","tap":"b","sent":{"headers":[]}}\n';
  assert.throws(
    () => readBaseline(line.repeat(50)),
    (error: Error) => error.message.split('; ').length < 10 && /^2:1: /.test(error.message),
  );
});
