import { type Call, findEdges } from '../calls/edge.ts';
import { type Expectation, noExpectation } from '../expect/expectation.ts';
import { buildTraceGraph, keyOf } from '../graph/trace-graph.ts';
import { type HeaderEvidence, indexHeaders, noHeaderEvidence } from '../headers/wire.ts';
import { alignSpans, estimateOffsets } from '../pairing/align-clocks.ts';
import type { Draft, Scene, Shown } from '../rules/check.ts';
import { doubtAtEnds } from '../rules/cut-capture.ts';
import { decideByHeaders, mergeDrafts } from '../rules/decide-by-headers.ts';
import { explainLooseEnds } from '../rules/explain-loose-ends.ts';
import type { FindingId } from '../rules/finding.ts';
import { findings as prose } from '../rules/findings.ts';
import { rankByPipeline } from '../rules/rank-by-pipeline.ts';
import { runRules } from '../rules/run-rules.ts';
import { thresholds as defaultThresholds, type Thresholds } from '../rules/thresholds.ts';
import { isToleratedPeer } from '../rules/tolerated-peer.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { buildScene } from './build-scene.ts';
import type { EdgeResult, Evidence, Finding, Result } from './result.ts';

/** So many calls are shown as evidence of a finding; `count` tells them all. */
const maxEvidence = 5;

/** A service is instrumented by a few; hostile data may name any number. */
const maxScopes = 20;

export interface CheckOptions {
  readonly expectation?: Expectation;
  /** What was seen of propagation headers, by taps and by the services themselves. */
  readonly headers?: HeaderEvidence;
  /** What the Collector counted; it tells telemetry that is lost from propagation that is. */
  readonly collector?: CollectorCounters | null;
  /** Say of each loose end why nothing is reported. */
  readonly explain?: boolean;
  /** Other numbers than those of the rules, for tests. */
  readonly thresholds?: Thresholds;
}

/** Checks every edge of one trace or of many. Pure; the same spans give the same result in any order. */
export function checkTraces(spans: readonly Span[], options: CheckOptions = {}): Result {
  const {
    expectation = noExpectation,
    headers = noHeaderEvidence,
    collector = null,
    thresholds = defaultThresholds,
    explain = false,
  } = options;
  const received = buildTraceGraph(spans);
  const clockOffsets = estimateOffsets(received.spans, findEdges(received), expectation, thresholds);
  const graph =
    clockOffsets.size === 0 ? received : buildTraceGraph(alignSpans(received.spans, clockOffsets));
  const { calls, openClients, rootServers, orphans } = findEdges(graph);
  const clients = openClients.filter((span) => !isToleratedPeer(expectation, span));
  const headersOf = indexHeaders(headers, graph.spans);
  const facts = buildScene({ graph, calls, expectation, headersOf, clockOffsets, thresholds });
  const looseEnds = { clients, roots: rootServers, orphans };
  const { scene, silences, ...found } = runRules(facts, looseEnds);
  const drafts = found.drafts.flatMap((draft) =>
    decideByHeaders(rankByPipeline(draft, collector), headersOf, expectation),
  );
  const merged = mergeDrafts(drafts).map((draft) => doubtAtEnds(scene, draft));
  const findings = merged.map((draft) => describeFinding(scene, draft));
  const edges = countEdges(calls, merged);
  return {
    version: 1,
    verdict: decideVerdict(findings, edges.length > 0 || holdsWithoutEdge(scene)),
    traces: graph.traceCount,
    spans: graph.spans.length,
    edges,
    findings,
    ...(explain ? { explain: explainLooseEnds(scene, looseEnds, found.drafts, silences) } : {}),
  };
}

function describeFinding(scene: Scene, draft: Draft): Finding {
  const { id, severity, client, server, candidates, isLikely = false } = draft;
  return {
    id,
    severity,
    client,
    server,
    confidence: candidates !== undefined ? 'undecided' : isLikely ? 'likely' : 'certain',
    count: draft.shown.length,
    ...(candidates === undefined ? {} : { candidates }),
    evidence: draft.shown.slice(0, maxEvidence).flatMap(describeEvidence),
    scopes: { client: listScopes(scene, client), server: listScopes(scene, server) },
    fix: describeFix(id, candidates?.[0]),
    docs: `docs/findings/${id}.md`,
  };
}

/** The fix of an undecided finding is that of its best candidate, and says so. */
function describeFix(id: FindingId, best: FindingId | undefined): string {
  return best === undefined ? prose[id].fix : `if ${best}: ${prose[best].fix}`;
}

function listScopes(scene: Scene, service: string | null): readonly string[] {
  if (service === null) return [];
  const scopes = new Set(scene.spansOf(service).map((span) => span.scopeName));
  return [...scopes]
    .filter((name) => name !== '')
    .sort()
    .slice(0, maxScopes);
}

function describeEvidence({ client, server, says }: Shown): readonly Evidence[] {
  const span = client ?? server;
  return span === null ? [] : [{ traceId: span.traceId, spanId: span.spanId, says: hideSecrets(says) }];
}

function decideVerdict(findings: readonly Finding[], isJudged: boolean): Result['verdict'] {
  if (findings.some((finding) => finding.severity === 'error')) return 'broken';
  return isJudged ? 'intact' : 'unknown';
}

/** A forbidden edge is not there, and its caller is: the only expectation that data without any edge can meet. */
function holdsWithoutEdge({ expectation, spansOf }: Scene): boolean {
  const rules = expectation.edges.filter((edge) => edge.rule !== 'may');
  return (
    rules.length > 0 && rules.every((edge) => edge.rule === 'must-not' && spansOf(edge.client).length > 0)
  );
}

/** Every call counts once, as broken if any error shows it. */
function countEdges(calls: readonly Call[], drafts: readonly Draft[]): readonly EdgeResult[] {
  const edges = new Map<string, { edge: EdgeResult; all: Set<string>; broken: Set<string> }>();
  const edgeOf = ({ client, server, protocol }: Pick<EdgeResult, 'client' | 'server' | 'protocol'>) => {
    const key = keyFor(client, server, protocol);
    const known = edges.get(key) ?? {
      edge: { client, server, protocol, calls: 0, broken: 0 },
      all: new Set(),
      broken: new Set(),
    };
    edges.set(key, known);
    return known;
  };
  for (const { client, server, protocol } of calls) {
    edgeOf({ client: client.serviceName, server: server.serviceName, protocol }).all.add(keyOf(server));
  }
  for (const draft of drafts) {
    if (draft.severity !== 'error') continue;
    const edge = edgeOf(draft);
    for (const { client, server } of draft.shown) {
      const span = server ?? client;
      if (span === null) continue;
      edge.all.add(keyOf(span));
      edge.broken.add(keyOf(span));
    }
  }
  return [...edges.values()].map(({ edge, all, broken }) => ({
    ...edge,
    calls: all.size,
    broken: broken.size,
  }));
}
