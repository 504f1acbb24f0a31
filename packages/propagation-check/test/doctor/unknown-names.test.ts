import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

function find(variables: string): readonly string[] {
  const { findings } = examine([{ path: '.env', text: `${variables}\n` }]);
  return findings.map(({ id, severity, says }) => `${severity} ${id}: ${says}`);
}

const ofSampler = 'sampler-unknown: OTEL_TRACES_SAMPLER is';

test('an unknown sampler is named, with the one that is probably meant', () => {
  for (const [name, meant] of [
    ['always-on', 'always_on'],
    ['parent_based_always_off', 'parentbased_always_off'],
    ['parentbased_traceidrato', 'parentbased_traceidratio'],
    ['probability', 'parentbased_traceidratio'],
    ['Never', 'always_off'],
    ['0.1', 'parentbased_traceidratio with 0.1 in OTEL_TRACES_SAMPLER_ARG'],
    ['traceidratio=0.25', 'traceidratio with 0.25 in OTEL_TRACES_SAMPLER_ARG'],
    ['traceidratio(.5)', 'traceidratio with .5 in OTEL_TRACES_SAMPLER_ARG'],
  ])
    assert.deepEqual(find(`OTEL_TRACES_SAMPLER=${name}`), [
      `warning ${ofSampler} "${name}", which is no sampler; ${meant} is probably meant`,
    ]);
});

test('a sampler that may be custom is a note, and so is one in capitals', () => {
  assert.deepEqual(find('OTEL_TRACES_SAMPLER=checkout_rules'), [
    `note ${ofSampler} "checkout_rules", which is no sampler of OpenTelemetry; a sampler of your own may have this name`,
  ]);
  assert.deepEqual(find('OTEL_TRACES_SAMPLER=ALWAYS_ON'), [
    `note ${ofSampler} "ALWAYS_ON": SDKs of Java and JavaScript know it in lower case alone`,
  ]);
});

test('names of the specification and of vendors, an empty name, and a disabled SDK give no finding', () => {
  for (const healthy of [
    'OTEL_TRACES_SAMPLER=parentbased_jaeger_remote',
    'OTEL_TRACES_SAMPLER=microsoft.rate_limited',
    'OTEL_TRACES_SAMPLER=',
    'OTEL_TRACES_SAMPLER=$SAMPLER',
    'OTEL_TRACES_EXPORTER=otlp,console',
    'OTEL_TRACES_EXPORTER=google_cloud_trace',
    'OTEL_TRACES_EXPORTER=',
  ])
    assert.deepEqual(find(healthy), []);
  for (const disabled of ['OTEL_TRACES_SAMPLER=always-on', 'OTEL_TRACES_EXPORTER=oltp'])
    assert.deepEqual(
      find(`OTEL_SDK_DISABLED=true\n${disabled}`).map((line) => line.replace(/:.*/, '')),
      ['warning sdk-disabled'],
    );
});

test('a ratio that is not a number from 0 to 1 is named, with the one that is probably meant', () => {
  const findRatio = (ratio: string, sampler = 'parentbased_traceidratio') =>
    find(`OTEL_TRACES_SAMPLER=${sampler}\nOTEL_TRACES_SAMPLER_ARG=${ratio}`);
  const told = (ratio: string) =>
    `warning sampler-ratio: OTEL_TRACES_SAMPLER_ARG is "${ratio}", and parentbased_traceidratio takes a number from 0 to 1`;
  for (const [ratio = '', meant = ''] of [
    ['10', '0.1'],
    ['100', '1'],
    ['1.2', '0.012'],
    ['1.5', '0.015'],
    ['0.5%', '0.005'],
    ['1.1%', '0.011'],
    ['12.3456789012%', '0.123456789012'],
    ['25 %', '0.25'],
    ['0,1', '0.1'],
  ])
    assert.deepEqual(findRatio(ratio), [`${told(ratio)}; ${meant} is probably meant`]);
  for (const ratio of ['-0.1', '101', 'half', 'NaN', '1/2'])
    assert.deepEqual(findRatio(ratio), [told(ratio)]);
  for (const ratio of ['1', '1.0', '.25', '1e-3', '', '$RATIO']) assert.deepEqual(findRatio(ratio), []);
  for (const sampler of ['always_on', 'parentbased_jaeger_remote', 'parentbased_always_on', ''])
    assert.deepEqual(findRatio('10', sampler), []);
});

const ofExporter = 'traces-exporter-unknown: OTEL_TRACES_EXPORTER has';

test('an unknown exporter is an error, and a note beside a known one', () => {
  for (const [name, meant] of [
    ['otpl', 'otlp'],
    ['otlp/grpc', 'otlp'],
    ['http/protobuf', 'otlp'],
    ['stdout', 'console'],
    ['zipkn', 'zipkin'],
  ])
    assert.deepEqual(find(`OTEL_TRACES_EXPORTER=${name}`), [
      `error ${ofExporter} "${name}", which is no exporter; ${meant} is probably meant`,
    ]);
  assert.deepEqual(find('OTEL_TRACES_EXPORTER=otlp,stdout'), [
    `note ${ofExporter} "stdout", which is no exporter; console is probably meant`,
  ]);
  assert.deepEqual(find('OTEL_TRACES_EXPORTER=acme'), [
    `note ${ofExporter} "acme", which is no exporter of OpenTelemetry; an exporter of your own may have this name`,
  ]);
});
