import * as z from 'zod';
import { edgeProtocols } from '../calls/call-group.ts';
import { type FindingId, findingIds } from '../rules/finding.ts';
import type { AuditResult } from './audit-result.ts';
import { type EdgePlace, placeOf } from './edge-place.ts';

/** The edges that the runs so far have seen. */
export interface AuditState {
  readonly kind: 'audit-state';
  readonly version: 1;
  /** The time of the last run. RFC 3339. */
  readonly at: string;
  readonly edges: readonly SeenEdge[];
}

export interface SeenEdge extends EdgePlace {
  /** Of the last run that saw calls of the edge. */
  readonly causes: readonly FindingId[];
}

/** The state after a run: an edge that it saw no call of stays as it was. */
export function nextState(before: AuditState | null, { edges }: AuditResult, at: Date): AuditState {
  const seen = new Map((before?.edges ?? []).map((edge) => [placeOf(edge), edge]));
  for (const edge of edges) {
    const { client, server, protocol, calls, causes } = edge;
    if (calls > 0 || causes.length > 0)
      seen.set(placeOf(edge), { client, server, protocol, causes: causes.map(({ id }) => id) });
  }
  return { kind: 'audit-state', version: 1, at: at.toISOString(), edges: [...seen.values()] };
}

const service = z.string().nullable();

const stateShape = z.object({
  kind: z.literal('audit-state'),
  version: z.literal(1),
  at: z.iso.datetime(),
  edges: z.array(
    z.object({
      client: service,
      server: service,
      protocol: z.enum(edgeProtocols),
      causes: z.array(z.enum(findingIds)),
    }),
  ),
});

/** @returns null where the text is no state. */
export function readState(text: string): AuditState | null {
  try {
    return stateShape.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export function renderState(state: AuditState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}
