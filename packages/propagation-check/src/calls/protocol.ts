import type { Span } from '../span/span.ts';
import { type FactSource, readText } from './fact-source.ts';
import { readOpenTracingRpc } from './rpc-facts.ts';

/** The protocol of a call. */
export type Protocol = 'http' | 'rpc' | 'messaging' | 'mcp' | 'database' | 'unknown';

/** Bits for the attribute families. */
export const family = {
  database: 1,
  messaging: 2,
  rpc: 4,
  http: 8,
  component: 16,
  trigger: 32,
  mcp: 64,
} as const;

/** The family of each attribute that indicates a protocol. */
export const families: ReadonlyMap<string, number> = new Map([
  ...['db.system.name', 'db.system', 'db.statement', 'db.query.text'].map(
    (key) => [key, family.database] as const,
  ),
  ['messaging.system', family.messaging],
  ...['rpc.system.name', 'rpc.system', 'rpc.service', 'rpc.method'].map((key) => [key, family.rpc] as const),
  ['mcp.method.name', family.mcp],
  ['component', family.component],
  ['faas.trigger', family.trigger],
  ...[
    'http.request.method',
    'http.method',
    'url.full',
    'http.url',
    'http.response.status_code',
    'http.status_code',
    'http.route',
    'http.target',
  ].map((key) => [key, family.http] as const),
]);

export function listFamilies({ attributes }: Span): number {
  let found = 0;
  for (const key of attributes.keys()) found |= families.get(key) ?? 0;
  return found;
}

/** The attributes whose values `readProtocol` reads. */
export const protocolAttributes = ['component', 'faas.trigger'] as const;

/** @param found Bits of the families that the span's attributes belong to. */
export function readProtocol(span: FactSource, found: number): Protocol {
  if ((found & family.database) !== 0) return 'database';
  if (span.kind === 'PRODUCER' || span.kind === 'CONSUMER' || (found & family.messaging) !== 0)
    return 'messaging';
  // Some instrumentations of MCP also set `rpc.system`.
  if ((found & family.mcp) !== 0) return 'mcp';
  if ((found & family.rpc) !== 0) return 'rpc';
  if ((found & family.component) !== 0 && readOpenTracingRpc(span) !== null) return 'rpc';
  if ((found & family.http) !== 0) return 'http';
  return (found & family.trigger) !== 0 ? readTrigger(span) : 'unknown';
}

/** Functions record what triggered them (semantic conventions, FaaS spans, "faas.trigger"). */
function readTrigger(span: FactSource): Protocol {
  const trigger = readText(span, 'faas.trigger');
  if (trigger === 'http') return 'http';
  return trigger === 'pubsub' ? 'messaging' : 'unknown';
}
