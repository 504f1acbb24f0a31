/** Chaos reads Jaeger's API with the checker's reader. Here a server answers it, and the account must show what is lost or duplicated. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { openSource } from 'propagation-check';
import { listen } from 'service-kit/testing';
import { drawAccount } from '../chaos/account.ts';
import { awaitSpans } from '../chaos/await-spans.ts';
import { readLedger } from '../chaos/ledger.ts';

/** A span in OTLP/JSON. */
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const times = { startTimeUnixNano: '1000', endTimeUnixNano: '2000' };
const server: WireSpan = {
  traceId,
  spanId: '1'.repeat(16),
  name: 'GET /call-b',
  kind: 2,
  ...times,
};
const client: WireSpan = {
  traceId,
  spanId: '2'.repeat(16),
  parentSpanId: server.spanId,
  name: 'GET',
  kind: 3,
  ...times,
};
const log = [
  ['SERVER', server],
  ['CLIENT', client],
] as const;
const ended = readLedger(
  'service-a',
  log
    .map(([kind, { spanId, parentSpanId = null, name }]) =>
      JSON.stringify({
        msg: 'span',
        trace_id: traceId,
        span_id: spanId,
        parent_span_id: parentSpanId,
        kind,
        name,
      }),
    )
    .join('\n'),
);

describe('the account of what Jaeger answers', () => {
  it('is clean when each span is there once', async (t) => {
    assert.deepEqual(await account(t, [server, client]), []);
  });

  it('sees a span that is twice in one batch', async (t) => {
    assert.deepEqual(await account(t, [server, client, client]), [
      `doubled: ${client.spanId} is there 2 times`,
    ]);
  });

  it('sees a span that is in two batches', async (t) => {
    assert.deepEqual(await account(t, [server, client], [client]), [
      `doubled: ${client.spanId} is there 2 times`,
    ]);
  });

  it('sees a span that was stored twice, at different times', async (t) => {
    const later = { ...client, startTimeUnixNano: '1500' };
    assert.deepEqual(await account(t, [server, client, later]), [
      `doubled: ${client.spanId} is there 2 times`,
    ]);
  });

  it('misses a span', async (t) => {
    assert.deepEqual(await account(t, [server]), [`lost: service-a CLIENT ${client.spanId} is missing`]);
  });

  it('misses a trace', async (t) => {
    assert.deepEqual(await account(t), [
      `lost: service-a SERVER ${server.spanId} is missing`,
      `lost: service-a CLIENT ${client.spanId} is missing`,
    ]);
  });

  it('sees another parent', async (t) => {
    const astray = { ...client, parentSpanId: 'f'.repeat(16) };
    assert.deepEqual(await account(t, [server, astray]), [
      `wrong: service-a CLIENT ${client.spanId}: parent ${'f'.repeat(16)} instead of ${server.spanId}`,
    ]);
  });
});

/** The problems in the account when Jaeger answers with these batches, or with 404 when there are none. */
async function account(
  t: TestContext,
  ...batches: readonly (readonly WireSpan[])[]
): Promise<readonly string[]> {
  const resourceSpans = batches.map((spans) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: 'service-a' } }] },
    scopeSpans: [{ spans }],
  }));
  using jaeger = await listen((_request, response) => {
    response.writeHead(batches.length > 0 ? 200 : 404, { 'content-type': 'application/json' });
    const none = { error: { httpCode: 404, message: 'No traces found' } };
    response.end(JSON.stringify(batches.length > 0 ? { result: { resourceSpans } } : none));
  });
  const source = await openSource(`jaeger=${jaeger.url}`);
  try {
    const expected = new Map([[traceId, new Set(ended.map(({ spanId }) => spanId))]]);
    const { found } = await awaitSpans({ source, expected, patienceMs: 1, signal: t.signal });
    const outcomes = [{ status: 502, answer: null }];
    const { lost, duplicated, wrong } = drawAccount({ outcomes, ended, found });
    return [
      ...lost.map(({ says }) => `lost: ${says}`),
      ...duplicated.map(({ says }) => `doubled: ${says}`),
      ...wrong.map(({ says }) => `wrong: ${says}`),
    ];
  } finally {
    await source.close();
  }
}
