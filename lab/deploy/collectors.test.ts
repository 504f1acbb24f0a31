import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type OtlpReceiver, startOtlpReceiver } from 'propagation-check';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { startCollector, token } from './start-collector.ts';
import { startSink } from './start-sink.ts';
import { obstacle } from './tools.ts';

const traces = 20;
const failing = 7;
const [statusError, kindServer] = [2, 2];
const pollMs = 20;
/** Exporters wait up to 5 s between retries, and the machine may be busy. */
const patienceMs = 60_000;

/** Two spans per trace; the second span of the trace `failing` has an error. */
function encodeTraces(): string {
  const span = (trace: number, span: number) => ({
    traceId: `${trace + 1}`.padStart(32, '0'),
    spanId: `${trace + 1}${span}`.padStart(16, '0'),
    name: 'GET /',
    kind: kindServer,
    startTimeUnixNano: `${BigInt(Date.now()) * 1_000_000n}`,
    endTimeUnixNano: `${BigInt(Date.now() + 1) * 1_000_000n}`,
    status: trace === failing && span === 1 ? { code: statusError } : {},
  });
  const spans = Array.from({ length: traces }, (_, trace) => [span(trace, 0), span(trace, 1)]).flat();
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

const send = (url: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
  fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: encodeTraces(),
  });

async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${isDone}`);
    await delay(pollMs);
  }
}

async function open(t: { after(fn: () => void): void }, port = 0): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver({ port });
  t.after(() => receiver.close());
  return receiver;
}
const hostOf = ({ url }: OtlpReceiver) => new URL(url).host;
const spansOf = (receiver: OtlpReceiver) => receiver.readAll().length;

describe('agent and gateway with the configuration of Kubernetes', { skip: obstacle ?? false }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'collectors-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('export all spans to the sink, and complete traces with an error to Jaeger', async (t) => {
    await using sink = await startSink(join(folder, 'sink'));
    const jaeger = await open(t);
    const hosts = { sink: sink.grpc, jaeger: hostOf(jaeger) };
    await using gateway = await startCollector('gateway', {
      ...{ folder: join(folder, 'gateway-1'), hosts, decisionWait: '1s' },
    });
    await using agent = await startCollector('agent', {
      ...{ folder: join(folder, 'agent-1'), hosts: { gateway: gateway.grpc } },
    });
    assert.equal((await send(agent.url)).status, 200);
    await until(async () => (await sink.readReceivedSpans()) === 2 * traces);
    const traceId = `${failing + 1}`.padStart(32, '0');
    const kept = () => jaeger.readAll().filter((span) => span.traceId === traceId);
    await until(() => kept().length === 2);
  });

  it('refuse requests without the token', async () => {
    const hosts = { gateway: '127.0.0.1:1' };
    await using agent = await startCollector('agent', { folder: join(folder, 'agent-2'), hosts });
    assert.equal((await send(agent.url, {})).status, 401);
  });

  it('answer 503 while there is no gateway, so that senders retry', async () => {
    const hosts = { gateway: '127.0.0.1:1' };
    await using agent = await startCollector('agent', { folder: join(folder, 'agent-3'), hosts });
    assert.equal((await send(agent.url)).status, 503);
  });

  it('lose no accepted span when the gateway is killed', async (t) => {
    const [sinkPort = 0, jaegerPort = 0] = await findFreePorts(2);
    const hosts = { sink: `127.0.0.1:${sinkPort}`, jaeger: `127.0.0.1:${jaegerPort}` };
    const place = { folder: join(folder, 'gateway-4'), hosts, decisionWait: '1h' };
    const first = await startCollector('gateway', place);
    assert.equal((await send(first.url)).status, 200);
    await first.kill();
    const sink = await open(t, sinkPort);
    await using _second = await startCollector('gateway', place);
    await until(() => spansOf(sink) === 2 * traces);
  });
});
