import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { DurableExporter } from '../src/index.ts';

/** Shorter than the first pause of the stock exporter (at least 800 ms), so that it makes no retries. */
export const withoutRetries = { timeoutMillis: 500 } as const;

/** Wraps the stock exporter, whose default timeout here is long enough for a busy machine. The delivery stops with the test. */
export function startDelivery(
  t: TestContext,
  url: string,
  {
    spoolDirectory,
    spoolBytes = 2 ** 30,
    maxBytes = 32 * 1024 * 1024,
    patienceMillis = 30_000,
    timeoutMillis = 30_000,
    attemptTimeoutMillis = 30_000,
    shutdownTimeoutMillis = 0,
  }: {
    spoolDirectory?: string;
    spoolBytes?: number;
    maxBytes?: number;
    patienceMillis?: number;
    timeoutMillis?: number;
    attemptTimeoutMillis?: number;
    /** 0: a stop saves the spans at once, and the test reads them. */
    shutdownTimeoutMillis?: number;
  } = {},
): DurableExporter {
  const target = { url: `${url}/v1/traces`, timeoutMillis };
  const delivery = new DurableExporter(new OTLPTraceExporter(target), {
    receiver: target.url,
    maxBytes,
    flushTimeoutMillis: patienceMillis,
    attemptTimeoutMillis,
    shutdownTimeoutMillis,
    ...(spoolDirectory === undefined ? {} : { spool: { directory: spoolDirectory, maxBytes: spoolBytes } }),
  });
  t.after(() => delivery.shutdown());
  return delivery;
}

/** Ended spans, one for each name. */
export function endSpans(...names: readonly string[]): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const provider = new TracerProvider({
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  for (const name of names) provider.getTracer('test').startSpan(name).end();
  return ended;
}

export function exportSpans(delivery: DurableExporter, ...names: readonly string[]): void {
  delivery.export(endSpans(...names), () => {});
}

/** Collects OpenTelemetry's warnings and errors until the test ends. */
export function listen(): readonly string[] {
  const said: string[] = [];
  const say = (...words: readonly unknown[]) => said.push(words.join(' '));
  const ignore = () => {};
  const logger: DiagLogger = { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  after(() => diag.disable());
  return said;
}

/** Checks the condition in each turn of the event loop. The timeout of the test is the limit. */
export async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A temporary folder, removed after the test. */
export async function makeFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'span-spool-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
