import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainCommandSilence } from '../../src/cli/explain-command-silence.ts';
import { listSilences } from '../../src/collect/list-silences.ts';

test('variables that stop the export of spans are named with their values, others are not', () => {
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

test('the words of a command are not searched for such variables', () => {
  const { reason, advice } = explainCommandSilence({ name: 'go', exitCode: 0, silences: [] });
  assert.equal(reason, 'no process of go exports traces to it');
  assert.deepEqual(
    advice.map((step) => step.split(':')[0]),
    ['without an SDK', 'with an SDK', 'in containers'],
  );
  assert.match(advice[1] ?? '', /OTEL_SDK_DISABLED and the sampler from its start script/);
  const killed = explainCommandSilence({ name: 'go', exitCode: 143, silences: [] });
  assert.match(killed.reason, /^it was ended by a signal, .*; no process of go /);
  const silences = ['OTEL_SDK_DISABLED=true is set'];
  assert.deepEqual(explainCommandSilence({ name: 'go', exitCode: 1, silences }), {
    reason: silences[0],
    advice: [],
  });
});
