import type { Span } from '../span/span.ts';
import { readAddress } from './address.ts';

const httpsPort = 443;

/** Whether the request goes over TLS, so that nothing on the way can read its headers. Some build the URL of any request with `http:`. */
export function isEncrypted(span: Span): boolean {
  if (readAddress(span).port === httpsPort) return true;
  const schemes = ['url.full', 'http.url', 'url.scheme', 'http.scheme'];
  return schemes.some((name) => /^https(?::|$)/i.test(String(span.attributes.get(name) ?? '')));
}
