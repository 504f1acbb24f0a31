import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { suite, test } from 'node:test';
import { configuredOptions } from '../../src/cli/configured-options.ts';
import { createProgram } from '../../src/cli/create-program.ts';
import { configurationShape } from '../../src/config/configuration-shape.ts';
import { readConfiguration } from '../../src/config/read-configuration.ts';
import { makeFolder } from './run-cli.ts';

const { run, audit, ...shared } = configurationShape.shape;
const listKeys = (name: string, section: typeof run | typeof audit) =>
  Object.keys(section.unwrap().shape).map((key) => `${name}.${key}`);
const ofCommands = { run: listKeys('run', run), audit: listKeys('audit', audit) };
const keys = [...Object.keys(shared), ...ofCommands.run, ...ofCommands.audit];

suite('a setting of the configuration file', () => {
  test('each key of the shape has an option', () => {
    assert.deepEqual(Object.keys(configuredOptions).sort(), keys.sort());
  });

  test('sets an option that the command has', () => {
    const program = createProgram({
      output: { width: 80, color: false, print: async () => undefined },
      writeError: () => undefined,
      setExitCode: () => undefined,
      signal: new AbortController().signal,
      endOnSignals: () => undefined,
    });
    const samples: Readonly<Record<string, unknown>> = {
      source: 'otlp',
      expectations: 'a.yaml',
      reports: { json: true },
      ca: null,
      'collector-metrics': 'http://localhost:1/metrics',
      'run.url': 'http://localhost:1',
      'run.method': 'PUT',
      'run.request-header': 'a: b',
      'run.requests': 1,
      'run.concurrency': 1,
      'audit.since': '1h',
      'audit.every': '1m',
      'audit.fail-under': '99.5%',
      'audit.limit': 1,
      timeout: '1s',
      wait: '1s',
      settle: '1s',
    };
    for (const [name, own] of Object.entries({
      run: [...Object.keys(shared), ...ofCommands.run],
      audit: ofCommands.audit,
    })) {
      const command = program.commands.find((each) => each.name() === name);
      const known = command?.options.map((option) => option.attributeName()) ?? [];
      for (const key of own.filter((each) => samples[each] !== null)) {
        const option = configuredOptions[key]?.(samples[key] ?? 'error', '.');
        // `url` is the argument of `run`, and `tolerated-peers` has no option.
        if (key !== 'run.url' && key !== 'tolerated-peers')
          assert.ok(known.includes(option?.attribute ?? ''), key);
      }
    }
  });

  test('resolves paths relative to the file', async (t) => {
    const folder = await makeFolder(t);
    const set = (key: string, value: unknown) => configuredOptions[key]?.(value, folder).value;
    const inFolder = relative('', `${folder}/x`);
    assert.equal(set('source', 'file=x'), `file=${inFolder}`);
    assert.equal(set('source', 'file=/x'), 'file=/x');
    assert.equal(set('source', 'jaeger=http://localhost:16686'), 'jaeger=http://localhost:16686');
    assert.equal(set('expectations', 'x'), inFolder);
    assert.equal(set('baseline', 'x'), inFolder);
    assert.deepEqual(set('wire', 'x'), [inFolder]);
    assert.deepEqual(set('wire', ['x', 'x']), [inFolder, inFolder]);
    assert.deepEqual(set('reports', { junit: 'x', markdown: true }), [
      { name: 'junit', path: inFolder },
      { name: 'markdown', path: null },
    ]);
    assert.throws(() => set('ca', 'x'), /--ca \S*x: no such file/);
  });

  test('has the same value as on the command line', () => {
    const set = (key: string, value: unknown) => configuredOptions[key]?.(value, '.').value;
    assert.equal(set('wait', '20s'), 20_000);
    assert.deepEqual(set('run.url', ['http://a/', 'http://b/']), [
      new URL('http://a/'),
      new URL('http://b/'),
    ]);
    assert.deepEqual(set('run.request-header', ['A: 1', 'b: 2']), { a: '1', b: '2' });
    assert.equal(set('allow-failed-requests', true), true);
    assert.deepEqual(set('expectations', { edges: { may: ['a -> b'] } }), {
      edges: [{ client: 'a', server: 'b', rule: 'may' }],
      ...{ baggage: {}, toleratedPeers: [], traceresponse: [] },
    });
    assert.throws(() => set('wait', '2d'), /above 0 and up to 1d/);
    assert.throws(() => set('source', 'zipkin=x'), /not a source/);
  });
});

test('the configuration in the README is valid', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /## Configuration\n[^`]*(?:`[^`\n]+`[^`]*)*```yaml\n([^`]+)```/.exec(readme) ?? [];
  const { settings, faults } = readConfiguration(example);
  assert.deepEqual(faults, []);
  assert.ok(settings.length >= 8);
});
