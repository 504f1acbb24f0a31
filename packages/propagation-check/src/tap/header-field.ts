import type { HeaderField } from '../headers/evidence.ts';

/** The reverse of `readRawHeaders`. */
export function toRawHeaders(fields: readonly HeaderField[]): string[] {
  return fields.flatMap(({ name, value }) => [name, value]);
}

const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
]);

/** Headers that stay even where `Connection` names them: without them the next hop would misread framing or routing. */
const keptHeaders: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding']);

/**
 * Removes headers of this connection, and those that `Connection` names (RFC 9110, section 7.6.1). `Transfer-Encoding` stays, because the tap
 * forwards the same framing. `TE: trailers` is added again, because the tap forwards trailers.
 */
export function removeHopByHop(fields: readonly HeaderField[]): readonly HeaderField[] {
  const named = new Set(listTokens(fields, 'connection'));
  const kept = fields.filter(({ name }) => {
    const lower = name.toLowerCase();
    return !connectionHeaders.has(lower) && (!named.has(lower) || keptHeaders.has(lower));
  });
  return listTokens(fields, 'te').includes('trailers')
    ? [...kept, { name: 'Connection', value: 'TE' }, { name: 'TE', value: 'trailers' }]
    : kept;
}

/** As `removeHopByHop`, for a request or answer that switches protocols: keeps `Upgrade`. */
export function removeHopByHopButUpgrade(fields: readonly HeaderField[]): readonly HeaderField[] {
  const upgrade = fields.filter(({ name }) => name.toLowerCase() === 'upgrade');
  return [...removeHopByHop(fields), { name: 'Connection', value: 'Upgrade' }, ...upgrade];
}

/** The members of a comma-separated header, in lower case and without parameters. */
export function listTokens(fields: readonly HeaderField[], name: string): readonly string[] {
  return fields
    .filter((field) => field.name.toLowerCase() === name)
    .flatMap((field) => field.value.split(','))
    .map((token) => (token.split(';', 1)[0] ?? '').trim().toLowerCase())
    .filter((token) => token !== '');
}
