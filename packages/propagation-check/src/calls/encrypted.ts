import type { Span } from '../span/span.ts';
import { readAddress } from './address.ts';

const httpsPort = 443;

/**
 * Whether the request uses TLS, so that no hop can read its headers. Some instrumentations write `http:` into every URL, so the port counts
 * too.
 */
export function isEncrypted(span: Span): boolean {
  if (readAddress(span).port === httpsPort) return true;
  const schemes = ['url.full', 'http.url', 'url.scheme', 'http.scheme'];
  return schemes.some((name) => /^https(?::|$)/i.test(String(span.attributes.get(name) ?? '')));
}
