import { escapeControls } from '../decode/quote-value.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import { createHttpClient, type HttpClientOptions } from './http-client.ts';
import { isHtml, summarize } from './http-policy.ts';
import { SourceError } from './source.ts';

/** Names of the metrics, without prefix and suffixes. */
const counters = [
  'receiver_accepted_spans',
  'receiver_refused_spans',
  'receiver_failed_spans',
  'processor_refused_spans',
  'processor_memory_limiter_refused_spans',
  'exporter_sent_spans',
  'exporter_send_failed_spans',
  'exporter_enqueue_failed_spans',
] as const;

/** The metrics of a Collector with many components take some 100 KB. */
const maxResponseBytes = 16 * 1024 * 1024;

const advice =
  'use the address of the Collector’s own metrics (service.telemetry.metrics.readers, port 8888 by default)';

type Counter = (typeof counters)[number];

/**
 * Reads a Collector's metrics once.
 * @param url The URL of its Prometheus endpoint; without a path, `/metrics`.
 * @throws {SourceError} when it does not answer, or another program than a Collector does.
 */
export async function readCollectorCounters(
  url: URL,
  options: HttpClientOptions = {},
  signal?: AbortSignal,
): Promise<CollectorCounters> {
  const endpoint = url.pathname === '/' ? new URL('/metrics', url) : url;
  const client = await createHttpClient('collector', new URL('/', endpoint), {
    maxResponseBytes,
    ...options,
  });
  const name = `collector=${endpoint.origin}${endpoint.pathname}`;
  try {
    const path = endpoint.pathname.replace(/^\/+/, '');
    const answer = await client.get(path, endpoint.searchParams, 'text/plain;version=0.0.4', signal);
    if (answer.status !== 200) {
      throw new SourceError(`${name}: answered ${answer.status}: ${summarize(answer)}; ${advice}`);
    }
    if (isHtml(answer)) {
      throw new SourceError(`${name}: answered a web page, not metrics; ${advice}`);
    }
    return { name, ...parseCollectorCounters(name, new TextDecoder().decode(answer.body)) };
  } finally {
    await client.close();
  }
}

/**
 * Sums the counters of a Prometheus text exposition. An absent counter is 0.
 * @throws {SourceError} when no metric in it is a Collector's.
 */
export function parseCollectorCounters(name: string, text: string): Omit<CollectorCounters, 'name'> {
  const sums = new Map<Counter, number>();
  let isCollector = false;
  for (const line of text.split('\n')) {
    const sample = readSample(line);
    if (sample === null) continue;
    isCollector = true;
    const counter = counters.find((known) => known === sample.metric);
    if (counter !== undefined) sums.set(counter, (sums.get(counter) ?? 0) + sample.value);
  }
  const sumOf = (counter: Counter) => sums.get(counter) ?? 0;
  if (isCollector) {
    return {
      accepted: sumOf('receiver_accepted_spans'),
      // A receiver also counts the spans that a processor refuses, unless a component between them answers first. So the largest count is
      // taken, not the sum.
      refused: Math.max(
        sumOf('receiver_refused_spans') + sumOf('receiver_failed_spans'),
        sumOf('processor_refused_spans'),
        sumOf('processor_memory_limiter_refused_spans'),
      ),
      sent: sumOf('exporter_sent_spans'),
      sendFailed: sumOf('exporter_send_failed_spans'),
      enqueueFailed: sumOf('exporter_enqueue_failed_spans'),
    };
  }
  const [first = ''] = text.trim().split('\n');
  throw new SourceError(
    `${name}: no otelcol_ metric in the answer (“${escapeControls(first.slice(0, 80))}”); ${advice}`,
  );
}

/**
 * Reads one line of the Prometheus text format: `name{labels} value [timestamp]`. Units and types may be appended to the name, depending
 * on the Collector's version and the reader's settings: `_total`, `__spans_`, `__spans__total`.
 */
function readSample(line: string): { readonly metric: string; readonly value: number } | null {
  const match = /^otelcol_([a-z_]+?)(?:__spans_)?(?:_total)?(?:\{.*\})?[ \t]+([^ \t]+)/.exec(line);
  if (match === null) return null;
  const [, metric = '', text] = match;
  const value = Number(text);
  return { metric, value: Number.isFinite(value) ? value : 0 };
}
