import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mayBeOfOnePool, mayBeOfOneProcess } from '../../src/span/instance.ts';
import type { AttributeValue } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

const [span] = drawTrace('INTERNAL web work  a1  0..9');
assert.ok(span !== undefined);
const of = (resource: Readonly<Record<string, AttributeValue>>) => ({
  ...span,
  resource: new Map(Object.entries(resource)),
});

suite('spans that one process may have made', () => {
  for (const name of [
    'service.instance.id',
    'host.name',
    'process.pid',
    'telemetry.sdk.language',
    'service.namespace',
    'deployment.environment.name',
    'deployment.environment',
  ]) {
    test(`not with two values of ${name}; one that is missing says nothing`, () => {
      assert.ok(!mayBeOfOneProcess(of({ [name]: 'one' }), of({ [name]: 'other' })));
      assert.ok(mayBeOfOneProcess(of({ [name]: 'one' }), of({ [name]: 'one' })));
      assert.ok(mayBeOfOneProcess(of({ [name]: 'one' }), of({})));
    });
  }
});

suite('spans that a pool of processes may have made', () => {
  test('share a machine and may have different process ids', () => {
    const [one, other] = [{ 'process.pid': 1 }, { 'process.pid': 7 }];
    assert.ok(!mayBeOfOnePool(of(one), of(other)));
    assert.ok(mayBeOfOnePool(of({ 'host.name': 'web-1', ...one }), of({ 'host.name': 'web-1', ...other })));
  });

  for (const name of [
    'service.instance.id',
    'telemetry.sdk.language',
    'service.namespace',
    'deployment.environment.name',
    'deployment.environment',
  ]) {
    test(`not with two values of ${name} on one machine`, () => {
      const at = (value: string) => of({ 'host.name': 'web-1', [name]: value });
      assert.ok(!mayBeOfOnePool(at('one'), at('other')));
      assert.ok(mayBeOfOnePool(at('one'), at('one')));
    });
  }
});
