import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainCommandSilence, readAssignments } from '../../src/cli/explain-command-silence.ts';
import { readCommandText } from '../../src/cli/read-command-text.ts';
import { listSilences } from '../../src/collect/list-silences.ts';

test('variables that keep spans away are named with their values, others are not', () => {
  const names = (variables: NodeJS.ProcessEnv) =>
    listSilences(variables).map((each) => each.replace(/ is set.*/, ''));
  assert.deepEqual(names({ OTEL_SDK_DISABLED: 'True' }), ['OTEL_SDK_DISABLED=True']);
  assert.deepEqual(names({ OTEL_TRACES_EXPORTER: 'none' }), ['OTEL_TRACES_EXPORTER=none']);
  assert.deepEqual(names({ OTEL_CONFIG_FILE: 'otel.yaml' }), ['OTEL_CONFIG_FILE']);
  for (const sampler of ['always_off', 'parentbased_always_off'])
    assert.deepEqual(names({ OTEL_TRACES_SAMPLER: sampler }), [`OTEL_TRACES_SAMPLER=${sampler}`]);
  assert.deepEqual(names({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }), [
    'OTEL_TRACES_SAMPLER=traceidratio and OTEL_TRACES_SAMPLER_ARG=0',
  ]);
  const open = { OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'otlp', OTEL_CONFIG_FILE: '' };
  assert.deepEqual(names({ ...open, OTEL_TRACES_SAMPLER: 'traceidratio' }), []);
});

test('variables that a command sets itself are read from its words', () => {
  assert.deepEqual(readAssignments('env OTEL_SDK_DISABLED=true node a.js'), { OTEL_SDK_DISABLED: 'true' });
  assert.deepEqual(readAssignments('sh -c OTEL_A="b"; OTEL_C=d&& x'), { OTEL_A: 'b', OTEL_C: 'd' });
  assert.deepEqual(readAssignments('node MY_OTEL_A=b'), {});
});

test('a command that starts containers is told by its words', () => {
  const explain = (text: string) => explainCommandSilence({ name: 'a', exitCode: 0, text, silences: [] });
  for (const text of [
    'docker compose up --wait',
    '/usr/bin/docker-compose up',
    'npm run demo\nkubectl apply',
  ])
    assert.match(
      explain(text),
      /^(?:docker[ -]compose|kubectl) starts containers, which neither get .* --source otlp=/,
    );
  for (const text of ['node docker.js', 'npm run dockerize'])
    assert.match(explain(text), /^no process of a has an SDK .*; or its services run in containers, which/);
});

test('a script of package.json is read, whichever runner names it', async () => {
  // Tests run in the root of the repository.
  assert.match(await readCommandText(['npm', 'run', 'assert']), /\n.*assert-propagation\.ts/);
  assert.equal(await readCommandText(['npm', 'ci']), 'npm ci');
  assert.equal(await readCommandText(['node', 'assert']), 'node assert');
});
