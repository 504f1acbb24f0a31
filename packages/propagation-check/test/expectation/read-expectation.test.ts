import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { readExpectation } from '../../src/expect/read-expectation.ts';
import { ExpectationError, readExpectedPath } from '../../src/expect/read-expected-path.ts';

suite('an expectations file', () => {
  test('names edges, baggage, peers and services that name their span', () => {
    const text = `
edges:
  must:
    - web -> orders -> payments
    - { client: a -> b, server: c }
  may: [orders -> cache]
  must-not:
    - web -> payments
baggage:
  tenant: acme
  "a b": "1"
tolerated-peers: [api.example.com, 10.0.0.1:443]
traceresponse: [payments]
`;
    assert.deepEqual(readExpectation(text), {
      edges: [
        { client: 'web', server: 'orders', rule: 'must' },
        { client: 'orders', server: 'payments', rule: 'must' },
        { client: 'a -> b', server: 'c', rule: 'must' },
        { client: 'orders', server: 'cache', rule: 'may' },
        { client: 'web', server: 'payments', rule: 'must-not' },
      ],
      baggage: { tenant: 'acme', 'a b': '1' },
      toleratedPeers: ['api.example.com', '10.0.0.1:443'],
      traceresponse: ['payments'],
    });
  });

  test('reports all faults at once', () => {
    const text = 'edges:\n  must: [web, a -> b]\n  may: [x]\nbagage: {}\n';
    assert.throws(
      () => readExpectation(text),
      /^ExpectationError: 2:10: edges\.must\.0: .*; 3:9: edges\.may\.0: .*; 4:1: unknown key "bagage"; known here: /,
    );
    assert.throws(
      () => readExpectation('edges: 1\nbaggage: 2\nlost: 3\n'),
      /^ExpectationError: 1:8: edges: .*; 2:10: baggage: .*; 3:1: unknown key "lost"/,
    );
  });

  test('may be JSON, and may be empty in its parts', () => {
    assert.deepEqual(readExpectation('{"edges": {"must": ["a -> b"]}}').edges, expectPath(['a', 'b']));
    assert.deepEqual(readExpectation('edges: {}'), noExpectation);
  });

  const faults: readonly (readonly [string, string])[] = [
    [
      '',
      '1:1: empty; expected edges, baggage, tolerated-peers or traceresponse; write one, or do without the file',
    ],
    [
      'edgs: {}',
      '1:1: unknown key "edgs"; known here: edges, baggage, tolerated-peers, traceresponse; did you mean edges?',
    ],
    [
      'edges:\n  must: []\n  forbidden: []',
      '3:3: edges: unknown key "forbidden"; known here: must, may, must-not',
    ],
    [
      'must: []',
      '1:1: unknown key "must"; known here: edges, baggage, tolerated-peers, traceresponse; did you mean edges.must?',
    ],
    ['edges:\n  must: a -> b', '2:9: edges.must: expected a list'],
    [
      'edges:\n  must:\n    - a -> b\n    - a',
      '4:7: edges.must.1: expected services with arrows between them: a -> b -> c',
    ],
    [
      'edges: {must: [a ->  -> b]}',
      '1:16: edges.must.0: expected services with arrows between them: a -> b -> c',
    ],
    ['edges: {must: [3]}', '1:16: edges.must.0: expected a path such as "a -> b -> c", or client and server'],
    [
      'edges: {must: [{client: a, servr: b}]}',
      '1:16: edges.must.0.server: expected the name of a service; ' +
        '1:28: edges.must.0: unknown key "servr"; known here: client, server; did you mean server?',
    ],
    ['edges: {must: [{client: a, server: 1}]}', '1:36: edges.must.0.server: expected the name of a service'],
    ['baggage:\n  n: 1', '2:6: baggage.n: expected text; put the value in quotes'],
    ['baggage: {a: x, a: y}', '1:17: this key is here twice; name it once'],
    [
      'edges:\n  must:\n    - a -> b -> c\n  may: [c -> d]\n  must-not:\n    - {client: b, server: c}\n    - c -> d\n    - a -> c',
      '6:5: edges.must-not.0: b -> c is also under must, in line 3; name it once; ' +
        '7:7: edges.must-not.1: c -> d is also under may, in line 4; name it once',
    ],
    [
      'edges:\n  must: [a -> b, c ->]\n  may: [a -> b]\n  must-not:\n    - a -> b',
      '2:18: edges.must.1: expected services with arrows between them: a -> b -> c; ' +
        '3:9: edges.may.0: a -> b is also under must, in line 2; name it once; ' +
        '5:7: edges.must-not.0: a -> b is also under must, in line 2; name it once',
    ],
    ['baggage: 3', '1:10: baggage: expected a map'],
    ['- a', '1:1: not a map; expected edges, baggage, tolerated-peers or traceresponse'],
    ['hello', '1:1: not a map; expected edges, baggage, tolerated-peers or traceresponse'],
    ['edges: {}\n---\nedges: {}', '2:1: a second document begins here (---); expected one'],
    [gzipSync('edges: {}').toString(), '1:1: compressed with gzip; uncompress it first (gunzip)'],
    [
      '"\\e[2J": 1',
      '1:1: unknown key "\\u001b[2J"; known here: edges, baggage, tolerated-peers, traceresponse',
    ],
  ];
  for (const [text, message] of faults) {
    test(`is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => readExpectation(text), new ExpectationError(message));
    });
  }

  test('is refused when it is not YAML, with the place', () => {
    assert.throws(() => readExpectation('edges:\n  must: [a -> b\n'), /^ExpectationError: \d+:\d+: /);
    assert.throws(() => readExpectation('a: &a [*a]'), ExpectationError);
  });

  test('is refused if its aliases multiply', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi'])
      lines.push(`${to}: &${to} [${`*${from}, `.repeat(9)}]`);
    assert.throws(() => readExpectation(lines.join('\n')), ExpectationError);
  });
});

test('a path needs two services', () => {
  for (const text of [' a->b -> c ', 'a → b→c', 'a → b -> c'])
    assert.deepEqual(readExpectedPath(text), expectPath(['a', 'b', 'c']));
  const { edges } = readExpectation('edges:\n  must: [a → b -> c]\n');
  assert.deepEqual(edges, expectPath(['a', 'b', 'c']));
  for (const text of ['', 'a', '->', 'a ->', '-> b', 'a -> -> b', 'a →', '→ b', 'a → -> b']) {
    assert.throws(() => readExpectedPath(text), ExpectationError, text);
  }
});
