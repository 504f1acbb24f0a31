import { DecodeError, ForeignContentError } from '../decode/decode-error.ts';
import { firstCharacter } from '../decode/detect-piece-format.ts';
import { isObject } from '../decode/otlp-json-value.ts';
import { parseJson } from '../decode/parse-json.ts';
import type { HttpClient } from './http-client.ts';
import { type HttpAnswer, isHtml, summarize } from './http-policy.ts';
import { SourceError } from './source.ts';

/** @throws {SourceError} when the answer cannot be decoded; the message names the source, the path of the request and the expected port. */
export function decodeAnswer<T>(client: HttpClient, answer: HttpAnswer, decode: (bytes: Uint8Array) => T): T {
  try {
    return decode(answer.body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // An answer that is neither a JSON object nor protobuf comes from another program rather than a faulty one.
    const isKnown = firstCharacter(answer.body) === '{' || answer.contentType.endsWith('protobuf');
    const isStranger = error instanceof ForeignContentError || !isKnown;
    const advice = isStranger ? `; is this ${client.peer.name}, and ${client.peer.port}?` : '';
    throw new SourceError(
      `${client.name}: ${answer.url.pathname} answered something that cannot be read: ${error.message}${advice}`,
    );
  }
}

/** The answer as a JSON object; null when it is anything else. */
export function readObject(answer: HttpAnswer): Readonly<Record<string, unknown>> | null {
  try {
    const document = parseJson(answer.body);
    return isObject(document) ? document : null;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

/** Describes an unexpected answer for messages. */
export function describeAnswer(answer: HttpAnswer): string {
  if (!isHtml(answer)) return `status ${answer.status} and ${summarize(answer)}`;
  return answer.status === 200 ? 'a web page' : `a web page with status ${answer.status}`;
}

/** Precedes advice on the address: gateways answer with a web page for servers that they cannot reach. */
export function describeGateway(answer: HttpAnswer, { name }: HttpClient['peer']): string {
  return answer.status < 500 || !isHtml(answer)
    ? ''
    : `see whether ${name} runs behind the gateway that answered; otherwise `;
}
