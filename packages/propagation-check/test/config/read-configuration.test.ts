import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { findConfiguration } from '../../src/config/find-configuration.ts';
import { readConfiguration } from '../../src/config/read-configuration.ts';
import { listFaults } from '../../src/expect/read-yaml.ts';

const everything = `
source: jaeger=http://localhost:16686
expectations: { edges: { must: [web -> orders] } }
tolerated-peers: [api.example.com]
reports:
  html: out.html
  github: true
baseline: known.yaml
fail-on: warning
allow-failed-requests: true
wire: wire.jsonl
collector-metrics: http://localhost:8888/metrics
ca: ca.pem
timeout: 5s
wait: 20s
settle: 1s
run:
  url: http://localhost:8081/
  requests: 3
audit: { since: 1h, fail-under: 99.5% }
`;

suite('a configuration', () => {
  test('is a list of settings, each with its place', () => {
    const { settings, faults } = readConfiguration(everything);
    assert.deepEqual(faults, []);
    assert.equal(settings.length, 17);
    const reports = settings.find(({ key }) => key === 'reports');
    assert.deepEqual(reports?.value, { html: 'out.html', github: true });
    assert.deepEqual(reports?.place, { line: 5, column: 1 });
    const requests = settings.find(({ key }) => key === 'run.requests');
    assert.deepEqual([requests?.value, requests?.place], [3, { line: 19, column: 13 }]);
  });

  test('keeps valid settings beside invalid ones', () => {
    const { settings, faults } = readConfiguration('wait: 3\nsettle: 1s\nrun: { requests: 2, methd: GET }\n');
    assert.deepEqual(
      settings.map(({ key }) => key),
      ['settle', 'run.requests'],
    );
    assert.equal(faults.length, 2);
  });

  const cases: readonly (readonly [text: string, ...faults: readonly RegExp[]])[] = [
    ['', /^1:1: empty; expected source, .* or audit; write one, or do without the file$/],
    ['# nothing\n', /^1:1: empty; /],
    ['- a', /^1:1: not a map; expected source, /],
    ['wait: 1s\nwait: 2s', /^2:1: this key is here twice; name it once$/],
    ['run:\n\turl: http://x', /^2:1: a tab; indent with spaces$/],
    ['wait: 30', /^1:7: wait: expected a time with its unit: 500ms, /],
    ['reports: html', /^1:10: reports: expected a map of tree, terminal, json, html, /],
    ['reports: { html: true }', /^1:18: reports\.html: expected the path of a file$/],
    ['reports: { json: false }', /^1:18: reports\.json: expected the path of a file, or true to print it$/],
    ['fail-on: info', /^1:10: fail-on: expected error or warning$/],
    ['failOn: error', /^1:1: unknown key "failOn"; known here: source, .*; did you mean fail-on\?$/],
    ['allowFailedRequests: true', /did you mean allow-failed-requests\?$/],
    ['requests: 2', /did you mean run\.requests\?$/],
    ['reports: { htm: a }', /^1:12: reports: unknown key "htm"; known here: tree, .*; did you mean html\?$/],
    ['expectations: 3', /^1:15: expectations: expected the path of an expectations file, or its content$/],
    [
      'expectations:\n  edges:\n    must: [a -> b]\n    must-not: [b -> c, a -> b]',
      /^4:24: expectations\.edges\.must-not\.1: a -> b is also under must, in line 3; name it once$/,
    ],
    [
      'wait: 30\nexpectations:\n  edges: { must: [a -> b], may: [a -> b] }',
      /^1:7: wait: expected a time/,
      /^3:34: expectations\.edges\.may\.0: a -> b is also under must, in line 3; name it once$/,
    ],
    [
      'expectations: { edges: { must: [a], mus: [] } }\nrun: { url: [ftp://x, 3] }',
      /^1:33: expectations\.edges\.must\.0: expected services with arrows/,
      /^1:37: expectations\.edges: unknown key "mus"/,
      /^2:14: run\.url\.0: expected an http:\/\/ or https:\/\/ URL$/,
      /^2:23: run\.url\.1: expected an http:\/\/ or https:\/\/ URL$/,
    ],
  ];
  for (const [text, ...expected] of cases) {
    test(`is refused: ${JSON.stringify(text)}`, () => {
      const faults = listFaults(readConfiguration(text).faults);
      assert.equal(faults.length, expected.length, faults.join('\n'));
      for (const [index, fault] of expected.entries()) assert.match(faults[index] ?? '', fault);
    });
  }

  test('may have a byte order mark, CRLF and anchors', () => {
    const { settings, faults } = readConfiguration('\ufeffwait: &time 3s\r\nsettle: *time\r\n');
    assert.deepEqual(faults, []);
    assert.deepEqual(
      settings.map(({ value }) => value),
      ['3s', '3s'],
    );
  });
});

test('the nearest file applies, and none outside the repository', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'propagation-check-'));
  t.after(() => rm(root, { recursive: true }));
  const deep = join(root, 'repository/packages/web');
  await mkdir(deep, { recursive: true });
  const write = async (...path: readonly string[]) => {
    const file = join(root, ...path);
    await writeFile(file, 'wait: 1s\n');
    return file;
  };
  const outside = await write('propagation-check.yaml');
  assert.equal(findConfiguration(deep), outside);
  await mkdir(join(root, 'repository/.git'));
  assert.equal(findConfiguration(deep), null);
  const ofRepository = await write('repository/propagation-check.yml');
  assert.equal(findConfiguration(deep), ofRepository);
  const nearest = await write('repository/packages/web/propagation-check.yaml');
  assert.equal(findConfiguration(deep), nearest);
});
