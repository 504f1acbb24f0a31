import { DecodeError } from '../decode/decode-error.ts';
import type { Span } from '../span.ts';
import type { HttpClient } from './http-client.ts';
import type { HttpAnswer } from './http-policy.ts';
import { SourceError } from './source.ts';

/** @throws {SourceError} that names the source and the path of the request, when the answer cannot be decoded. */
export function decodeAnswer(
  client: HttpClient,
  answer: HttpAnswer,
  decode: (bytes: Uint8Array) => readonly Span[],
): readonly Span[] {
  try {
    return decode(answer.body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new SourceError(
      `${client.name}: ${answer.url.pathname} answered something that cannot be read: ${error.message}`,
    );
  }
}

/** Whether a web page answered, for instance a login page or another program's start page. */
export function isHtml(answer: HttpAnswer): boolean {
  const start = new TextDecoder().decode(answer.body.subarray(0, 100)).trimStart().toLowerCase();
  return (
    answer.contentType === 'text/html' || start.startsWith('<!doctype html') || start.startsWith('<html')
  );
}
