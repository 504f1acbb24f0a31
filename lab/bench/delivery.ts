// Cost of `DurableExporter` around the stock exporter, with a healthy receiver and through an outage. Runs with and without it alternate,
// with the same spans at the same rate, each in its own process.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { SpanKind } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { DurableExporter } from 'otlp-durable-exporter';
import { median } from '../quantile.ts';

const pipelines = ['stock', 'durable'] as const;
const weathers = ['well', 'outage'] as const;
const rounds = 3;
/** 2,000 spans a second: about 300 requests a second to services A and B together. */
const spansAtOnce = 100;
const pauseMs = 50;
const times = 400;
/** Longer than the exporter's pause between two attempts. */
const flushTimeoutMillis = 60_000;

type Pipeline = (typeof pipelines)[number];
type Weather = (typeof weathers)[number];

/** A producer sends one report after its last span has ended and another after the delivery. */
interface Usage {
  /** Microseconds of CPU time. */
  readonly cpu: number;
  /** Resident memory, in bytes. */
  readonly memory: number;
}

interface Measure extends Usage {
  /** Share of the spans, 0 to 1. */
  readonly delivered: number;
}

// --- The producer.

function createPipeline(pipeline: Pipeline, url: string) {
  const stock = new OTLPTraceExporter({ url });
  const exporter = pipeline === 'stock' ? stock : new DurableExporter(stock, { flushTimeoutMillis });
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: 500 });
  return {
    processor,
    finish: async () => {
      await processor.forceFlush();
      await exporter.forceFlush();
    },
  };
}

async function produce(pipeline: Pipeline, url: string): Promise<void> {
  const { processor, finish } = createPipeline(pipeline, url);
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('bench');
  const start = process.cpuUsage();
  const say = () => {
    const { user, system } = process.cpuUsage(start);
    process.send?.({ cpu: user + system, memory: process.memoryUsage.rss() } satisfies Usage);
  };
  for (let time = 0; time < times; time += 1) {
    for (let span = 0; span < spansAtOnce; span += 1) endServerSpan(tracer);
    await delay(pauseMs);
  }
  say();
  await once(process, 'message');
  await finish().catch(() => undefined);
  say();
}

/** The span is as large as a SERVER span of the demo's services. */
function endServerSpan(tracer: ReturnType<TracerProvider['getTracer']>): void {
  const attributes = {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': '/work',
    'http.route': '/work',
    'server.address': 'service-b',
    'server.port': 8082,
    'client.address': '172.19.0.5',
    'network.peer.address': '172.19.0.5',
    'network.peer.port': 40_000,
    'network.protocol.version': '1.1',
    'user_agent.original': 'node',
    'http.response.status_code': 200,
  };
  tracer.startSpan('GET /work', { kind: SpanKind.SERVER, attributes }).end();
}

// --- The receiver.

async function startReceiver() {
  let spans = 0;
  let port = 0;
  let server: Server | null = null;
  const open = async () => {
    server = createServer(async (request, response) => {
      const body = await buffer(request);
      const json = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      spans += json.toString().split('"spanId"').length - 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
    port = address.port;
  };
  const close = async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  };
  await open();
  return { url: `http://127.0.0.1:${port}/v1/traces`, open, close, count: () => spans };
}

// --- The comparison.

async function measure(pipeline: Pipeline, weather: Weather): Promise<Measure> {
  const receiver = await startReceiver();
  if (weather === 'outage') await receiver.close();
  const child = fork(fileURLToPath(import.meta.url), [pipeline, receiver.url], { stdio: 'ignore' });
  const { memory } = await hear(child);
  if (weather === 'outage') await receiver.open();
  child.send('deliver');
  const { cpu } = await hear(child);
  child.kill();
  await receiver.close();
  return { cpu, memory, delivered: receiver.count() / (spansAtOnce * times) };
}

async function hear(child: ChildProcess): Promise<Usage> {
  const [usage]: Usage[] = await once(child, 'message');
  if (usage === undefined) throw new Error('the producer said nothing');
  return usage;
}

/** Prints the table. */
export async function benchDelivery(): Promise<void> {
  console.log(
    `${spansAtOnce * times} spans in ${(times * pauseMs) / 1000} s or more, ${rounds} rounds in turns, medians`,
  );
  console.log('                               stock   durable   ratio');
  for (const weather of weathers) {
    const results: Record<Pipeline, Measure[]> = { stock: [], durable: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const pipeline of pipelines) results[pipeline].push(await measure(pipeline, weather));
    }
    const rows: readonly (readonly [string, (measure: Measure) => number, number])[] = [
      ['CPU per span, µs', ({ cpu }) => cpu / (spansAtOnce * times), 1],
      ['memory at the end, MiB', ({ memory }) => memory / 2 ** 20, 0],
      ['delivered, %', ({ delivered }) => delivered * 100, 1],
    ];
    for (const [name, read, digits] of rows) {
      const [stock, durable] = pipelines.map((pipeline) => median(results[pipeline].map(read)));
      if (stock === undefined || durable === undefined) continue;
      const columns = [stock.toFixed(digits), durable.toFixed(digits), (durable / stock).toFixed(2)];
      console.log(
        `${weather.padEnd(8)}${name.padEnd(22)}${columns.map((text) => text.padStart(8)).join('  ')}`,
      );
    }
  }
}

// This file is also the producer's process.
if (process.send !== undefined) {
  const [pipeline, url = ''] = process.argv.slice(2);
  await produce(pipeline === 'stock' ? 'stock' : 'durable', url);
}
