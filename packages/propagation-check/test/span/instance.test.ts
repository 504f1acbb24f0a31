import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mayBeOfOneProcess } from '../../src/span/instance.ts';
import type { AttributeValue } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

suite('spans that one process may have made', () => {
  const [span] = drawTrace('INTERNAL web work  a1  0..9');
  assert.ok(span !== undefined);
  const of = (resource: Readonly<Record<string, AttributeValue>>) => ({
    ...span,
    resource: new Map(Object.entries(resource)),
  });

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
