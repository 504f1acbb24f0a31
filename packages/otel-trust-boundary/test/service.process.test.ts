/** A service set up as the README shows, in automatic mode. Manual mode: `fastify.alone.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from './support/start-service.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const headers = [
  ['traceparent', `00-${traceId}-${spanId}-01`],
  ['tracestate', 'foo=1'],
  ['baggage', 'user=alice'],
  // A peer may claim any address; only that of the connection counts.
  ['forwarded', 'for=10.1.2.3'],
  ['x-forwarded-for', '10.1.2.3'],
  ['x-real-ip', '10.1.2.3'],
] as const;

test('the caller outside the networks chooses nothing, is linked, and gets no answer', async () => {
  await using service = await startService({ TRUST: '10.0.0.0/8,2001:db8::/32' });
  const { answer, sent } = await service.send(headers);
  const [span] = await service.readSpans();
  assert.ok(span !== undefined && sent[0] !== undefined);
  assert.notEqual(span.traceId, traceId);
  assert.equal(span.parent, undefined);
  assert.deepEqual(
    span.links.map(({ context }) => [context.traceId, context.spanId, context.traceState]),
    [[traceId, spanId, undefined]],
  );
  assert.match(String(sent[0].traceparent), new RegExp(`^00-${span.traceId}-[0-9a-f]{16}-03$`));
  assert.deepEqual([sent[0].tracestate, sent[0].baggage], [undefined, undefined]);
  assert.doesNotMatch(answer, /^(traceresponse|server-timing):/im);
});

test('the trace of a caller inside the networks goes on, and the answer names the SERVER span', async () => {
  await using service = await startService({ TRUST: '10.0.0.0/8,127.0.0.1' });
  const { answer, sent } = await service.send(headers);
  const [span] = await service.readSpans();
  assert.ok(span !== undefined && sent[0] !== undefined);
  assert.deepEqual([span.traceId, span.parent, span.links], [traceId, spanId, []]);
  assert.match(String(sent[0].traceparent), new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  assert.deepEqual([sent[0].tracestate, sent[0].baggage], ['foo=1', 'user=alice']);
  const own = `00-${traceId}-${span.spanId}-01`;
  assert.match(answer, new RegExp(`^server-timing: trace;desc=${own}\r\ntraceresponse: ${own}\r$`, 'm'));
});

test('a format of others is bounded as well', async () => {
  await using service = await startService({ TRUST: 'never', OTEL_PROPAGATORS: 'b3' });
  const { sent } = await service.send([['b3', `${traceId}-${spanId}-1`]]);
  const [span] = await service.readSpans();
  assert.deepEqual([span?.parent, span?.links.map(({ context }) => context.traceId)], [undefined, [traceId]]);
  assert.match(String(sent[0]?.b3), new RegExp(`^${span?.traceId}-[0-9a-f]{16}-1$`));
});
