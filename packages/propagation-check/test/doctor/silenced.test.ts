import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

function find(files: Readonly<Record<string, string>>): readonly string[] {
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ id, severity, path, line }) => `${severity} ${id} ${path}:${line}`);
}

/** One service of a Compose file. */
function compose(...variables: readonly string[]): string {
  return `services:\n  orders:\n    image: a\n    environment:\n${variables.map((each) => `      - ${each}\n`).join('')}`;
}

test('a service that exports no spans because of its variables is found in each kind of file', () => {
  for (const [id, variable] of [
    ['sdk-disabled', 'OTEL_SDK_DISABLED=True'],
    ['sampler-off', 'OTEL_TRACES_SAMPLER=always_off'],
    ['traces-exporter-none', 'OTEL_TRACES_EXPORTER=none'],
  ] as const) {
    const [name, value] = variable.split('=');
    assert.deepEqual(find({ 'compose.yaml': compose(variable) }), [`warning ${id} compose.yaml:5`]);
    assert.deepEqual(find({ '.env': `A=1\n${variable}\n` }), [`warning ${id} .env:2`]);
    assert.deepEqual(find({ Dockerfile: `FROM a\nENV ${variable}\n` }), [`warning ${id} Dockerfile:2`]);
    const pod = `kind: Pod\nspec:\n  containers:\n    - image: a\n      env:\n        - name: ${name}\n          value: "${value}"\n`;
    assert.deepEqual(find({ 'pod.yaml': pod }), [`warning ${id} pod.yaml:7`]);
  }
});

test('a ratio of 0 turns the sampler off', () => {
  const ratio = (name: string, argument: string) =>
    find({ 'compose.yaml': compose(`OTEL_TRACES_SAMPLER=${name}`, `OTEL_TRACES_SAMPLER_ARG=${argument}`) });
  assert.deepEqual(ratio('traceidratio', '0'), ['warning sampler-off compose.yaml:5']);
  assert.deepEqual(ratio('traceidratio', '0.0'), ['warning sampler-off compose.yaml:5']);
  assert.deepEqual(ratio('parentbased_traceidratio', '0'), ['note sampler-off compose.yaml:5']);
  assert.deepEqual(ratio('traceidratio', ''), []);
});

test('a ratio that ignores the caller is a warning in each kind of file', () => {
  const variables = (name: string, argument = '0.1') => [
    `OTEL_TRACES_SAMPLER=${name}`,
    `OTEL_TRACES_SAMPLER_ARG=${argument}`,
  ];
  const alone = variables('traceidratio');
  assert.deepEqual(find({ 'compose.yaml': compose(...alone) }), ['warning samplers-apart compose.yaml:5']);
  assert.deepEqual(find({ 'compose.yaml': compose(...variables('traceidratio', '1e-3')) }), [
    'warning samplers-apart compose.yaml:5',
  ]);
  assert.deepEqual(find({ '.env': `${alone.join('\n')}\n` }), ['warning samplers-apart .env:1']);
  assert.deepEqual(find({ Dockerfile: `FROM a\n${alone.map((each) => `ENV ${each}\n`).join('')}` }), [
    'warning samplers-apart Dockerfile:2',
  ]);
  for (const healthy of [
    variables('parentbased_traceidratio'),
    variables('always_on'),
    variables('parentbased_always_on'),
    variables('traceidratio', '1'),
    variables('traceidratio', '$RATIO'),
    [...alone, 'OTEL_SDK_DISABLED=true'],
  ])
    assert.deepEqual(
      find({ 'compose.yaml': compose(...healthy) }).filter((line) => line.includes('sampler')),
      [],
    );
  const replaced = compose(...variables('parentbased_traceidratio'));
  assert.deepEqual(find({ '.env': `${alone.join('\n')}\n`, 'compose.yaml': replaced }), []);
  assert.deepEqual(find({ '.env.test': `${alone.join('\n')}\n` }), []);
});

test('an equal ratio of all services is a note: SDKs of one language make equal decisions', () => {
  const service = (name: string, ratio: string) =>
    `  ${name}:\n    image: a\n    environment:\n      OTEL_TRACES_SAMPLER: traceidratio\n      OTEL_TRACES_SAMPLER_ARG: "${ratio}"\n`;
  const both = (ratio: string) =>
    find({ 'compose.yaml': `services:\n${service('web', '0.1')}${service('orders', ratio)}` });
  assert.deepEqual(
    both('0.1'),
    [5, 10].map((line) => `note samplers-apart compose.yaml:${line}`),
  );
  assert.deepEqual(
    both('0.2'),
    [5, 10].map((line) => `warning samplers-apart compose.yaml:${line}`),
  );
});

test('a sampler that follows the caller is a note: others may begin the traces', () => {
  assert.deepEqual(find({ 'compose.yaml': compose('OTEL_TRACES_SAMPLER=parentbased_always_off') }), [
    'note sampler-off compose.yaml:5',
  ]);
});

test('one cause is reported once: a disabled SDK has neither sampler nor exporter', () => {
  const all = compose(
    'OTEL_SDK_DISABLED=true',
    'OTEL_TRACES_SAMPLER=always_off',
    'OTEL_TRACES_EXPORTER=none',
  );
  assert.deepEqual(find({ 'compose.yaml': all }), ['warning sdk-disabled compose.yaml:5']);
});

test('files of tests give no finding; local settings and templates give a note', () => {
  const text = 'OTEL_SDK_DISABLED=true\n';
  assert.deepEqual(find({ '.env.test': text, 'ci.env': text }), []);
  assert.deepEqual(find({ 'docker-compose.test.yml': compose('OTEL_SDK_DISABLED=true') }), []);
  assert.deepEqual(find({ '.env.example': text, '.env.local': text, '.env.development': text }), [
    'note sdk-disabled .env.development:1',
    'note sdk-disabled .env.example:1',
    'note sdk-disabled .env.local:1',
  ]);
  assert.deepEqual(find({ '.env.production': text }), ['warning sdk-disabled .env.production:1']);
});

test('a default of an image that the deployment replaces gives no finding', () => {
  const files = {
    'orders/Dockerfile': 'FROM a\nENV OTEL_TRACES_EXPORTER=none\n',
    '.env': 'OTEL_TRACES_EXPORTER=none\n',
  };
  assert.deepEqual(find({ ...files, 'compose.yaml': compose('OTEL_TRACES_EXPORTER=otlp') }), []);
  assert.deepEqual(find({ ...files, 'compose.yaml': compose('OTEL_SERVICE_NAME=web') }), [
    'warning traces-exporter-none .env:1',
    'warning traces-exporter-none orders/Dockerfile:2',
  ]);
});
