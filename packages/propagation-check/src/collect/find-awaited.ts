import { nameAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';
import { isExpected } from '../expect/expectation.ts';
import { keyOf } from '../graph/trace-graph.ts';
import type { FindingId } from '../rules/finding.ts';
import { findings as knownFindings } from '../rules/findings.ts';
import type { Span } from '../span/span.ts';
import type { Finding } from '../verdict/result.ts';
import { findProvenSides, type ProvenSides } from './find-proven-sides.ts';
import type { CheckInputs, Judgement } from './judge.ts';

/** Something that has not come and that can still change the verdict on a trace. */
export type Awaited =
  | { readonly kind: 'any-span' }
  | { readonly kind: 'parent'; readonly of: Span }
  | { readonly kind: 'callee'; readonly of: Span }
  | { readonly kind: 'edge'; readonly client: string; readonly server: string }
  | { readonly kind: 'contrary'; readonly of: FindingId }
  | { readonly kind: 'unknown-services' };

/**
 * Lists what can still change the verdict on one trace: nothing where each span has its parent, each call its other side or a
 * proof that it never gets one, and each expected edge is there.
 * @param judgement The judgement of three kinds of spans together: those of the trace, the request that caused it, and the other sides of its calls.
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

/** Nobody ever continues the span: its other side is proven, or it sent no header. */
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
 * Whether no later span takes the finding back, once no side of a call is awaited: until then, the child of a CLIENT span may come, and
 * the SERVER span that was taken for its other side is of another call. Arguments from times and counts change with each call.
 */
function isConclusive({ id, confidence }: Finding): boolean {
  return knownFindings[id].isConclusive && confidence !== 'likely';
}

/** For people: `the child of GET service-b:8082/work of service-a`. */
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
  const service = span.serviceName ?? 'a service without a name';
  return `${rpcMethod ?? request ?? destination ?? span.name} of ${service}`;
}
