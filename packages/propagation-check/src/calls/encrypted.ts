import type { Span } from '../span/span.ts';
import { readAddress } from './call-facts.ts';

const httpsPort = 443;

/** Whether the request goes over TLS, so that nothing on the way can read its headers. A scheme says more than a port. */
export function isEncrypted(span: Span): boolean {
  for (const name of ['url.full', 'http.url', 'url.scheme', 'http.scheme']) {
    const [, scheme] = /^(https?)(?=:|$)/i.exec(String(span.attributes.get(name) ?? '')) ?? [];
    if (scheme !== undefined) return scheme.toLowerCase() === 'https';
  }
  return readAddress(span).port === httpsPort;
}
