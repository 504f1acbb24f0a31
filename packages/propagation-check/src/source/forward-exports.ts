import { isLoopback } from '../calls/inside.ts';
import { quoteValue } from '../decode/quote-value.ts';
import { countOf } from '../util/count-of.ts';
import { messageOf } from '../util/message-of.ts';
import { omitUndefined } from '../util/omit-undefined.ts';
import type { AcceptedExport, ExportSink, OwnAddress } from './export-request.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.ts';
import { summarize } from './http-policy.ts';
import { type Rejection, readRejection } from './otlp-response.ts';
import { SourceError } from './source.ts';

export interface ForwardOptions extends HttpClientOptions {
  /** The URL of a Collector's OTLP/HTTP receiver, as in `OTEL_EXPORTER_OTLP_ENDPOINT`: `http://localhost:4318`. */
  readonly url: URL;
  /** Called on the first failure, and at the end with the amount that was not delivered: one line each. */
  readonly say: (text: string) => void;
  readonly own: OwnAddress;
  /** Size of the bodies in the queue. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** How long the queue may take to drain when the receiver closes. Default 5,000 ms. */
  readonly closeMs?: number;
}

const defaults = { maxQueuedBytes: 64 * 1024 * 1024, closeMs: 5_000 } as const;

/**
 * Forwards exports to a Collector by OTLP/HTTP, one after the other and in their order, with body and encoding unchanged. `take` does not
 * wait for delivery.
 * @throws {SourceError} when the URL is the receiver's own, or the CA file cannot be read.
 */
export async function openForward(options: ForwardOptions): Promise<ExportSink> {
  const { url, own, say, maxQueuedBytes, closeMs } = { ...defaults, ...omitUndefined(options) };
  const base = new URL(url.href.replace(/\/v1\/traces\/?$/, ''));
  const client = await createHttpClient('forward', base, options);
  if (own.ports.includes(Number(url.port)) && isSameHost(url.hostname, own.host)) {
    throw new SourceError(`${client.name}: this is this receiver itself; name the Collector's address`);
  }
  const ended = new AbortController();
  const queue: AcceptedExport[] = [];
  const count = { taken: 0, lost: 0, lostSpans: 0, rejectedSpans: 0 };
  let queuedBytes = 0;
  let sending: Promise<void> | null = null;

  const reportLoss = (why: string) => {
    if (count.lost === 0 && count.rejectedSpans === 0)
      say(`${why}; the check goes on, and what is lost is counted at its end`);
  };
  const lose = (accepted: AcceptedExport, why: string) => {
    reportLoss(why);
    count.lost += 1;
    count.lostSpans += accepted.spanCount;
  };
  const sendAll = async () => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const answer = await send(client, next, ended.signal);
      if (typeof answer === 'string') lose(next, answer);
      else if (answer !== null && next.signal === 'traces') {
        reportLoss(
          `${client.name}: rejected ${countOf(answer.spans, 'span')}: ${quoteValue(answer.message)}`,
        );
        count.rejectedSpans += answer.spans;
      }
      queue.shift();
      queuedBytes -= next.body.length;
    }
    sending = null;
  };
  return {
    async take(accepted) {
      count.taken += 1;
      if (queuedBytes + accepted.body.length > maxQueuedBytes) {
        lose(
          accepted,
          `${client.name}: the Collector is too slow: more than ${maxQueuedBytes} bytes wait for it`,
        );
        return;
      }
      queuedBytes += accepted.body.length;
      queue.push(accepted);
      sending ??= sendAll();
    },
    async close() {
      const late = new SourceError(`${client.name}: not all was delivered when the check ended`);
      const deadline = setTimeout(() => ended.abort(late), closeMs);
      await sending;
      clearTimeout(deadline);
      await client.close();
      if (count.lost > 0) say(`${client.name}: ${describeLoss(count)}`);
      if (count.rejectedSpans > 0)
        say(`${client.name}: rejected ${countOf(count.rejectedSpans, 'span')} in all`);
    },
  };
}

/** @returns Why the export was not delivered, or which spans were rejected; null when all were accepted. */
async function send(
  client: HttpClient,
  { signal, type, body }: AcceptedExport,
  ended: AbortSignal,
): Promise<string | Rejection | null> {
  try {
    const answer = await client.post(`v1/${signal}`, { type, body }, ended);
    const isDelivered = answer.status >= 200 && answer.status < 300;
    if (isDelivered) return readRejection(answer.contentType, answer.body);
    return `${client.name}: answered ${answer.status}: ${summarize(answer)}`;
  } catch (error) {
    return messageOf(error);
  }
}

const everywhere: readonly string[] = ['0.0.0.0', '::'];

function isSameHost(forward: string, own: string): boolean {
  return forward === own || (isLoopback(forward) && (isLoopback(own) || everywhere.includes(own)));
}

interface Counts {
  readonly taken: number;
  readonly lost: number;
  readonly lostSpans: number;
}

function describeLoss({ taken, lost, lostSpans }: Counts): string {
  const exports = `${lost} of ${countOf(taken, 'export')} ${lost === 1 ? 'was' : 'were'} not delivered`;
  return `${exports} (${countOf(lostSpans, 'span')})`;
}
