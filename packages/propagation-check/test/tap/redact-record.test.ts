import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parseWireRecords } from '../../src/cli/read-wire.ts';
import type { HeaderField, WireRecord } from '../../src/headers/evidence.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import { redactRecord } from '../../src/tap/redact-record.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { startTapTo, startTarget, traceparent } from './support.ts';

const baggage = 'tenant=acme;secret, user = canary ;p=canary,=canary,canary,,user=canary=canary';

suite('a redacted record', () => {
  test('keeps all keys, and only the values that are shown', async (t) => {
    const record = await recordOf(t, {
      traceparent,
      baggage,
      tracestate: 'rojo=canary,congo=1',
      'uberctx-user': 'canary',
      'uberctx-tenant': 'acme',
    });
    const { sent, received } = redactRecord(record, new Set(['tenant', 'congo']));
    assert.deepEqual(sent, received);
    assert.deepEqual(pick(sent.headers), {
      traceparent,
      baggage: 'tenant=acme;secret, user =REDACTED,REDACTED,REDACTED,,user=REDACTED',
      tracestate: 'rojo=REDACTED,congo=1',
      'uberctx-user': 'REDACTED',
      'uberctx-tenant': 'acme',
    });
    assert.deepEqual(sent.baggage, [
      { key: 'tenant', value: 'acme' },
      { key: 'user', value: 'REDACTED', redacted: true },
      { key: 'user', value: 'REDACTED', redacted: true },
    ]);
    assert.deepEqual(sent.contexts, record.sent.contexts);
  });

  test('keeps nothing of formats that contain names of services and accounts', async (t) => {
    const record = await recordOf(t, { sw8: 'canary', newrelic: 'canary', 'request-id': '|canary.' });
    assert.equal(record.sent.contexts.length, 3);
    assert.doesNotMatch(JSON.stringify(redactRecord(record, new Set(['sw8']))), /canary/);
  });

  test('keeps no value unless told to, only that there was one', async (t) => {
    const record = await recordOf(t, { baggage, tracestate: 'rojo=canary' });
    assert.doesNotMatch(JSON.stringify(redactRecord(record, new Set())), /canary|acme/);
    const nothing = { ...record, received: null };
    assert.equal(redactRecord(nothing, new Set()).received, null);
    assert.deepEqual(
      redactRecord(nothing, new Set()).sent.contexts,
      readWireContext(record.sent.headers).contexts,
    );
  });
});

suite('evidence of redacted records', () => {
  const fixtures = join(import.meta.dirname, '../../fixtures');
  for (const file of globSync('*/*.txt', { cwd: fixtures }).sort()) {
    const { spans, expectation, headers } = readDrawing(readFileSync(join(fixtures, file), 'utf8'));
    if (headers.wire.length === 0) continue;

    test(`${file} gives the same result when its records are written and read again`, () => {
      const redacted = headers.wire.map((record) => redactRecord(record, new Set()));
      const lines = redacted.map((record) => JSON.stringify(record)).join('\n');
      const wire = parseWireRecords(Buffer.from(lines), 'wire');
      assert.deepEqual(wire, redacted);
      assert.deepEqual(
        checkTraces(spans, { expectation, headers: { ...headers, wire } }),
        checkTraces(spans, { expectation, headers }),
      );
    });
  }
});

async function recordOf(
  t: Parameters<typeof startTarget>[0],
  headers: Record<string, string>,
): Promise<WireRecord> {
  const target = await startTarget(t);
  const tap = await startTapTo(t, target.url);
  await (await fetch(tap.url, { headers })).text();
  return tap.readRecord();
}

function pick(headers: readonly HeaderField[]): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name, value]));
}
