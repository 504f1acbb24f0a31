import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { type Delivered, readPartialSuccess } from './post-batch.ts';

/** Resolves with null where the attempt, and whatever it tried again by itself, came to nothing. It never rejects. */
export type FirstAttempt = (spans: ReadableSpan[]) => Promise<Delivered | null>;

/** What has arrived of the latest answer to the export that is under way. */
interface Answer {
  chunks: Buffer[];
}

const answers = new AsyncLocalStorage<Answer>();

// The exporter tells whether a request was taken, and only logs what the answer rejects of it. So the answer is read a second
// time, where Node.js shows it to everybody, before the exporter sees it.
subscribe('http.client.response.finish', (message) => {
  const answer = answers.getStore();
  if (answer === undefined || !isAnswered(message)) return;
  const chunks: Buffer[] = [];
  answer.chunks = chunks;
  message.response.on('data', (chunk: Buffer) => chunks.push(chunk));
});

/** Lets an exporter of OTLP/HTTP in JSON make the attempt. */
export function createFirstAttempt(exporter: SpanExporter): FirstAttempt {
  return (spans) => {
    const answer: Answer = { chunks: [] };
    const attempt = new Promise<Delivered | null>((resolve) => {
      answers.run(answer, () =>
        exporter.export(spans, ({ code }) => {
          const isDelivered = code === ExportResultCode.SUCCESS;
          resolve(
            isDelivered
              ? { kind: 'delivered', ...readPartialSuccess(Buffer.concat(answer.chunks).toString()) }
              : null,
          );
        }),
      );
    });
    return attempt.catch(() => null);
  };
}

function isAnswered(message: unknown): message is { readonly response: IncomingMessage } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'response' in message &&
    message.response instanceof IncomingMessage
  );
}
