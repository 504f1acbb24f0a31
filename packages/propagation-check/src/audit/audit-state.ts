import * as z from 'zod';
import { edgeProtocols } from '../calls/call-group.ts';
import { type FindingId, findingIds } from '../rules/finding.ts';
import type { AuditResult } from './audit-result.ts';
import { type EdgePlace, placeOf } from './edge-place.ts';

/** The edges that earlier runs have seen. */
export interface AuditState {
  readonly kind: 'audit-state';
  readonly version: 1;
  /** The time of the last run. RFC 3339. */
  readonly at: string;
  /** No run so far has read its whole window. */
  readonly partial?: true | undefined;
  readonly edges: readonly SeenEdge[];
}

export interface SeenEdge extends EdgePlace {
  /** Causes of the last run that read its whole window and saw calls of the edge, and of later runs that read a part. */
  readonly causes: readonly FindingId[];
}

/** The state after a run. An edge without a call in it stays as it was. A run that read a part of its window removes no cause. */
export function nextState(before: AuditState | null, { edges, window }: AuditResult, at: Date): AuditState {
  const isWhole = window.seen.complete;
  const seen = new Map((before?.edges ?? []).map((edge) => [placeOf(edge), edge]));
  for (const edge of edges) {
    const { client, server, protocol, calls, causes } = edge;
    if (calls === 0 && causes.length === 0) continue;
    const known = isWhole ? [] : (seen.get(placeOf(edge))?.causes ?? []);
    const all = new Set([...known, ...causes.map(({ id }) => id)]);
    seen.set(placeOf(edge), { client, server, protocol, causes: [...all] });
  }
  const isPartial = !isWhole && (before === null || before.partial === true);
  return {
    ...{ kind: 'audit-state', version: 1, at: at.toISOString() },
    ...(isPartial ? { partial: true } : {}),
    edges: [...seen.values()],
  };
}

const service = z.string().nullable();

const stateShape = z.object({
  kind: z.literal('audit-state'),
  version: z.literal(1),
  at: z.iso.datetime(),
  partial: z.literal(true).optional(),
  edges: z.array(
    z.object({
      client: service,
      server: service,
      protocol: z.enum(edgeProtocols),
      causes: z.array(z.enum(findingIds)),
    }),
  ),
});

/** @returns null where the text is not a state. */
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
