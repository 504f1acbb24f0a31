import { nameAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';
import { isExpected } from '../expect/expectation.ts';
import { keyOf } from '../graph/trace-graph.ts';
import type { FindingId } from '../rules/finding.ts';
import { findings as knownFindings } from '../rules/findings.ts';
import type { Span } from '../span/span.ts';
import { nameService } from '../util/name-service.ts';
import type { Finding } from '../verdict/result.ts';
import { findProvenSides, type ProvenSides } from './find-proven-sides.ts';
import type { CheckInputs, Judgement } from './judge.ts';

/** A span, edge or service that has not been seen and can still change the verdict on a trace. */
export type Awaited =
  | { readonly kind: 'any-span' }
  | { readonly kind: 'parent'; readonly of: Span }
  | { readonly kind: 'callee'; readonly of: Span }
  | { readonly kind: 'edge'; readonly client: string; readonly server: string }
  | { readonly kind: 'contrary'; readonly of: FindingId }
  | { readonly kind: 'unknown-services' };

/**
 * Lists what can still change the verdict on one trace. The list is empty if each span has its parent, each call has its other side or a
 * proof that it never gets one, and each expected edge exists.
 * @param judgement The judgement of the trace together with the request that caused it and the other sides of its calls.
 */
export function findAwaited(
  { scene: { graph }, looseEnds, result: { edges, findings } }: Judgement,
  inputs: CheckInputs,
): readonly Awaited[] {
  const apart = graph.spans.filter((span) => isEntry(span) && graph.parentOf(span) === null);
  const proven = findProvenSides(graph, looseEnds.clients, apart, inputs.wire);
  const sides: readonly Awaited[] = [
    ...looseEnds.orphans
      .filter((span) => !proven.servers.has(span))
      .map((of) => ({ kind: 'parent' as const, of })),
    ...looseEnds.clients
      .filter((span) => !isCutOff(span, proven, findings))
      .map((of) => ({ kind: 'callee' as const, of })),
  ];
  const missing = inputs.expectation.edges
    .filter((edge) => isExpected(inputs.expectation, edge.client, edge.server))
    .filter(
      (edge) =>
        !edges.some(
          ({ client, server, calls }) => client === edge.client && server === edge.server && calls > 0,
        ),
    )
    .map(({ client, server }) => ({ kind: 'edge' as const, client, server }));
  const doubtful = findings
    .filter((finding) => finding.severity !== 'info' && !isConclusive(finding))
    .map(({ id }) => ({ kind: 'contrary' as const, of: id }));
  return [...sides, ...missing, ...doubtful];
}

/** Whether no later span can continue the CLIENT span: its other side is proven, or it sent no header. */
function isCutOff(client: Span, { clients }: ProvenSides, findings: readonly Finding[]): boolean {
  return (
    clients.has(client) ||
    findings.some(
      ({ id, confidence, evidence }) =>
        id === 'header-not-sent' &&
        confidence === 'certain' &&
        evidence.some(({ traceId, spanId }) => keyOf(client) === `${traceId}:${spanId}`),
    )
  );
}

/**
 * Whether no later span can refute the finding, provided that no side of a call is awaited. While one is, a child of the CLIENT span may
 * still arrive, which shows that the paired SERVER span belongs to another call. Findings from times and counts can change with each
 * call.
 */
function isConclusive({ id, confidence }: Finding): boolean {
  return knownFindings[id].isConclusive && confidence !== 'likely';
}

/** Describes it for messages: `the called side of GET service-b:8082/work of service-a`. */
export function describeAwaited(awaited: Awaited): string {
  switch (awaited.kind) {
    case 'any-span':
      return 'the first span';
    case 'parent':
      return `the parent of ${nameSpan(awaited.of)}`;
    case 'callee':
      return `the called side of ${nameSpan(awaited.of)}`;
    case 'edge':
      return `a call ${awaited.client} -> ${awaited.server}`;
    case 'contrary':
      return `spans that may speak against ${awaited.of}`;
    case 'unknown-services':
      return 'spans of services that no span names yet';
  }
}

function nameSpan(span: Span): string {
  const { method, host, port, path, rpcMethod, destination } = readCallFacts(span);
  const address = nameAddress({ host, port }) ?? '';
  const target = span.kind === 'SERVER' ? (path ?? '') : `${address}${path ?? ''}`;
  const request = method === null || target === '' ? null : `${method} ${target}`;
  const service = nameService(span.serviceName);
  return `${rpcMethod ?? request ?? destination ?? span.name} of ${service}`;
}
