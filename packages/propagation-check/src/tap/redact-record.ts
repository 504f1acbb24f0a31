import type { HeaderField, WireContext, WireRecord } from '../headers/evidence.ts';
import { isOpaqueHeader } from '../headers/propagation-header.ts';
import { redacted } from '../util/hide-secrets.ts';

/** Removes secrets from a record: the values of baggage and `tracestate`, except for the keys in `shownKeys`. */
export function redactRecord(record: WireRecord, shownKeys: ReadonlySet<string>): WireRecord {
  const redact = ({ headers, contexts, baggage }: WireContext): WireContext => ({
    headers: headers.map((field) => redactHeader(field, shownKeys)),
    contexts,
    baggage: baggage.map((entry) =>
      shownKeys.has(entry.key) ? entry : { key: entry.key, value: redacted, redacted: true },
    ),
  });
  const { sent, received } = record;
  return { ...record, sent: redact(sent), received: received === null ? null : redact(received) };
}

/** Source: W3C Baggage, section 3.2, and Jaeger's `uberctx-<key>`. */
function redactHeader({ name, value }: HeaderField, shownKeys: ReadonlySet<string>): HeaderField {
  const lower = name.toLowerCase();
  if (lower.startsWith('uberctx-')) {
    return { name, value: shownKeys.has(lower.slice('uberctx-'.length)) ? value : redacted };
  }
  if (isOpaqueHeader(lower)) return { name, value: redacted };
  if (lower !== 'baggage' && lower !== 'tracestate') return { name, value };
  return {
    name,
    value: value
      .split(',')
      .map((member) => redactMember(member, shownKeys))
      .join(','),
  };
}

/** `key=value;properties`: properties are removed with the value; whitespace stays. */
function redactMember(member: string, shownKeys: ReadonlySet<string>): string {
  if (member.trim() === '') return member;
  const at = member.indexOf('=');
  const key = at < 0 ? '' : member.slice(0, at);
  if (key === '') return redacted;
  return shownKeys.has(key.trim()) ? member : `${key}=${redacted}`;
}
