import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { listen } from 'service-kit/testing';
import { startTraffic } from '../e2e/traffic.ts';

const spanId = 'b7ad6b7169203331';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const body = JSON.stringify({
  same_trace: true,
  service_a_trace_id: traceId,
  service_b_trace_id: traceId,
  traceparent_header: `00-${traceId}-${spanId}-01`,
  traceparent_parent_span_id: spanId,
  service_b_parent_span_id: spanId,
  parent_matches_traceparent: true,
});

/** Answers like service A, and after `wholeAnswers` requests in another way. */
async function serve(
  wholeAnswers: number,
  answerOthers: (response: ServerResponse, die: () => void) => void,
) {
  let requests = 0;
  const server = await listen((_request, response) => {
    requests += 1;
    if (requests <= wholeAnswers) response.end(body);
    else answerOthers(response, () => server[Symbol.dispose]());
  });
  return { ...server, url: new URL(server.url) };
}

test('traffic resolves with the answers, including those before the service died', async () => {
  using server = await serve(20, (_response, die) => die());
  const traffic = startTraffic(server.url, 4);
  await traffic.answered(20);
  assert.equal((await traffic.stop()).length, 20);
});

test('traffic that ends early says how: the service died', async () => {
  using server = await serve(5, (_response, die) => die());
  await assert.rejects(startTraffic(server.url, 4).answered(20), /^Error: 5 of 20 requests .*fetch failed: /);
});

test('traffic that ends early says how: the service answered an error', async () => {
  using server = await serve(5, (response) => response.writeHead(503).end('no room'));
  await assert.rejects(
    startTraffic(server.url, 4).answered(20),
    /^Error: 5 of 20 requests .*status 503: no room/,
  );
});

test('traffic that has ended still resolves and rejects later waits', async () => {
  using server = await serve(1, (response) => response.writeHead(503).end('no room'));
  const traffic = startTraffic(server.url, 1);
  await assert.rejects(traffic.answered(2));
  await assert.rejects(traffic.answered(2), /status 503/);
  await traffic.answered(1);
});
