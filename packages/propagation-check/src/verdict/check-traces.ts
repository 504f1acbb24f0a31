import { findEdges } from '../calls/edge.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import { type Expectation, isExpected, noExpectation } from '../expect/expectation.ts';
import { none, TraceGraph } from '../graph/trace-graph.ts';
import { learnRecording } from '../headers/recording.ts';
import { type HeaderEvidence, indexHeaders, noHeaderEvidence } from '../headers/wire.ts';
import { estimateOffsets, readAhead } from '../pairing/align-clocks.ts';
import { lookUpAnswers } from '../pairing/answers.ts';
import { findLinkedCalls } from '../pairing/find-linked-calls.ts';
import { doubtAtEnds } from '../rules/cut-capture.ts';
import { decideByHeaders, mergeDrafts } from '../rules/decide-by-headers.ts';
import type { Draft, Shown } from '../rules/draft.ts';
import { hasError } from '../rules/expected-calls.ts';
import { explainLooseEnds } from '../rules/explain-loose-ends.ts';
import { describeFix } from '../rules/fix-by-surroundings.ts';
import { rankByPlatform } from '../rules/platforms.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import { rankByDecided } from '../rules/rank-by-decided.ts';
import { prepareRankByOrigin } from '../rules/rank-by-origin.ts';
import { prepareRankByOtherEdges } from '../rules/rank-by-other-edges.ts';
import { rankByPipeline } from '../rules/rank-by-pipeline.ts';
import { rankByProject } from '../rules/rank-by-project.ts';
import { prepareRecordedFacts } from '../rules/recorded-facts.ts';
import type { Silence } from '../rules/rule.ts';
import { runRules } from '../rules/run-rules.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { provesArrival } from '../rules/span-lost-in-service.ts';
import { listStepsToDecide } from '../rules/steps-to-decide.ts';
import { thresholds as defaultThresholds, type Thresholds } from '../rules/thresholds.ts';
import { isToleratedPeer } from '../rules/tolerated-peer.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import { type SpanStore, textOf } from '../span/span-store.ts';
import { storeOf } from '../span/span-writer.ts';
import { emptyText } from '../span/value-id.ts';
import { mapBy } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import { buildScene } from './build-scene.ts';
import { countEdges, countShown } from './count-edges.ts';
import { decideVerdict, hasJudgedEdge, isAccepted } from './decide-verdict.ts';
import { prepareSeparation } from './describe-separation.ts';
import { gatherUnjudged } from './gather-unjudged.ts';
import { listLikelyCalls } from './list-likely-calls.ts';
import { listOpenEdges } from './list-open-edges.ts';
import { listUndecided, listUnshownEntries } from './list-undecided.ts';
import {
  type EdgeResult,
  type Evidence,
  type Finding,
  nameEdge,
  type ProjectEvidence,
  type Result,
} from './result.ts';
import { tolerate } from './tolerate.ts';

/** The default number of calls shown as evidence of a finding. `count` is the number of all calls that show it. */
const usualEvidence = 5;

/** Instrumentation scopes listed for a service. Real services have a few; hostile data may name any number. */
const maxScopes = 20;

/** What is known beside the spans, and what to report. */
export interface CheckOptions {
  readonly expectation?: Expectation;
  /** Propagation headers that taps and the services themselves saw. */
  readonly headers?: HeaderEvidence;
  /** Counters of the Collector; they distinguish lost telemetry from lost propagation. */
  readonly collector?: CollectorCounters | null;
  /** Faults in the files of the project that break propagation. */
  readonly project?: readonly ProjectHint[];
  /** Report for each loose end why it is not reported as broken. */
  readonly explain?: boolean;
  /** The most calls shown for a finding. */
  readonly mostEvidence?: number;
  /** Replaces the thresholds of the rules, for tests. */
  readonly thresholds?: Thresholds;
}

/** Checks every edge of one or more traces. Pure; the order of the spans does not change the result. */
export function checkTraces(spans: readonly Span[], options: CheckOptions = {}): Result {
  return checkStore(storeOf(spans), options);
}

/** As `checkTraces`, of spans in columns. */
export function checkStore(store: SpanStore, options: CheckOptions = {}): Result {
  return describeExamination(examineStore(store, options), options);
}

/** @param options The options that the examination was made with. */
export function describeExamination(examination: Examination, options: CheckOptions): Result {
  const { expectation = noExpectation, explain = false, mostEvidence = usualEvidence } = options;
  const { scene, drafts, merged, looseEnds, silences, openClients } = examination;
  const scopes = remember(() => indexScopes(scene.graph));
  const scopesOf = (service: string | null): readonly string[] => scopes().get(service) ?? [];
  const errors = remember(() =>
    mapBy(
      merged.filter(({ severity }) => severity === 'error'),
      nameEdge,
    ),
  );
  const describeSeparation = prepareSeparation(scene, (draft) => errors().get(nameEdge(draft)) ?? []);
  const left = gatherUnjudged(scene, looseEnds, merged);
  const { edges, findings } = tolerate(
    {
      edges: countEdges(scene, merged, indexPassed(examination), left.ofEdges),
      findings: left.drafts.map((draft) =>
        describeFinding(scene, draft, describeSeparation, scopesOf, mostEvidence),
      ),
    },
    expectation,
    scene.services,
    openClients,
  );
  const unjudged = left.calls.map(({ edge }) => edge);
  const isJudged =
    hasJudgedEdge({ edges, unjudged }) ||
    holdsForOneService(edges, expectation) ||
    holdsWithoutEdge(scene) ||
    merged.some(provesArrival);
  const described = [...listUndecided(scene, looseEnds, merged), ...left.undecided];
  const remaining = findings.filter(
    (finding) => !isAccepted(finding) && !described.some((one) => isSameEdge(one, finding)),
  );
  const undecided = [
    ...described,
    ...listOpenEdges({ edges, findings: remaining }, left.ofEdges, expectation, scene.thresholds),
  ];
  const unshownBaggage = listUnshownEntries(scene);
  const verdict = decideVerdict({ findings, undecided }, isJudged);
  const likely =
    !isJudged && verdict === 'unknown' && expectation.edges.length === 0
      ? listLikelyCalls(scene, looseEnds, merged)
      : [];
  const unjudgedCalls = [...left.calls, ...likely];
  return {
    version: 1,
    verdict,
    traces: scene.graph.traceCount,
    spans: scene.graph.spanCount,
    edges,
    findings,
    ...(undecided.length > 0 ? { undecided } : {}),
    ...(unjudgedCalls.length > 0 ? { unjudged: unjudgedCalls.map(({ edge }) => edge) } : {}),
    ...(unshownBaggage.length > 0 ? { unshownBaggage } : {}),
    ...(explain ? { explain: explainLooseEnds(scene, looseEnds, drafts, silences, unjudgedCalls) } : {}),
  };
}

/** What the rules report about the spans of a store, before calls are counted and findings are worded. */
export interface Examination {
  readonly scene: Scene;
  /** The drafts as the rules made them; in `merged`, drafts of one edge with one cause are merged. */
  readonly drafts: readonly Draft[];
  readonly merged: readonly Draft[];
  readonly looseEnds: LooseEnds;
  readonly silences: readonly Silence[];
  /** Includes calls to tolerated peers. */
  readonly openClients: readonly Span[];
}

export function examineStore(store: SpanStore, options: CheckOptions = {}): Examination {
  const {
    expectation = noExpectation,
    headers = noHeaderEvidence,
    collector = null,
    project = [],
    thresholds = defaultThresholds,
  } = options;
  const received = new TraceGraph(store);
  const receivedEdges = findEdges(received);
  const answersOf = lookUpAnswers(received, receivedEdges.openClients, headers, thresholds);
  const clockOffsets = estimateOffsets(received, receivedEdges, expectation, answersOf, thresholds);
  const graph = clockOffsets.size === 0 ? received : received.align(readAhead(clockOffsets, store));
  const { groups, facts, openClients, roots, orphans } =
    graph === received ? receivedEdges : findEdges(graph);
  const linked = findLinkedCalls(graph, groups, openClients, thresholds);
  const clients = openClients.filter((span) => !linked.has(span) && !isToleratedPeer(expectation, span));
  const recordingOf = learnRecording(graph);
  const headersOf = indexHeaders(headers, graph, recordingOf);
  const known = buildScene({
    graph,
    groups,
    facts,
    expectation,
    headersOf,
    headers,
    clockOffsets,
    thresholds,
  });
  const looseEnds = { clients, roots, orphans };
  const { scene, silences, ...found } = runRules(known, looseEnds);
  const rankByOthers = prepareRankByOtherEdges(scene, found.drafts);
  const rankByOrigin = prepareRankByOrigin(scene);
  const drafts = found.drafts.flatMap((draft) =>
    decideByHeaders(
      rankByPipeline(rankByPlatform(rankByOrigin(rankByOthers(draft))), collector),
      headersOf,
      expectation,
    ).map((decided) =>
      // A draft whose cause headers decided has another id and needs no doubt.
      decided.id === draft.id ? doubtAtEnds(scene, orphans, decided) : decided,
    ),
  );
  const addRecordedFacts = prepareRecordedFacts(graph, recordingOf);
  const merged = rankByDecided(mergeDrafts(drafts)).map((draft) =>
    rankByProject(addRecordedFacts(draft), project),
  );
  return { scene, drafts: found.drafts, merged, looseEnds, silences, openClients };
}

function describeFinding(
  scene: Scene,
  draft: Draft,
  describeSeparation: (draft: Draft, count: number) => readonly string[],
  scopesOf: (service: string | null) => readonly string[],
  mostEvidence: number,
): Finding {
  const {
    id,
    symptom,
    severity,
    client,
    server,
    protocol,
    candidates,
    inProject = [],
    isLikely = false,
    facts = [],
    peer,
    ended,
    doubt,
  } = draft;
  const count = sumOf(draft.shown.map((shown) => countShown(scene.graph, shown)));
  const found = [...facts, ...describeSeparation(draft, count)];
  return {
    id,
    ...(symptom === undefined || severity !== 'warning' ? {} : { symptom }),
    severity,
    client,
    server,
    protocol,
    confidence: candidates !== undefined ? 'undecided' : isLikely ? 'likely' : 'certain',
    count,
    ...(candidates === undefined ? {} : { candidates }),
    evidence: draft.shown.slice(0, mostEvidence).flatMap(describeEvidence),
    ...(found.length === 0 ? {} : { facts: found.map(hideSecrets) }),
    ...(peer === undefined ? {} : { peer: hideSecrets(peer) }),
    ...(ended === undefined ? {} : { ended }),
    ...(inProject.length === 0 ? {} : { project: inProject.slice(0, mostEvidence).map(describeHint) }),
    scopes: { client: scopesOf(client), server: scopesOf(server) },
    fix: describeFix(draft),
    ...(candidates === undefined ? {} : { decide: listStepsToDecide(draft) }),
    ...(doubt === undefined ? {} : { doubt: doubt.says, decide: doubt.decide.map(hideSecrets) }),
    docs: `docs/findings/${id}.md`,
  };
}

function describeHint({ check, file, line, column, says }: ProjectHint): ProjectEvidence {
  return { check, file, line, column, says: hideSecrets(says) };
}

/** The instrumentation scopes of each named service. */
function indexScopes(graph: TraceGraph): ReadonlyMap<string | null, readonly string[]> {
  const { size, resources, resourceTable, scopes } = graph.store;
  const ofResources = resourceTable.map(() => new Set<number>());
  /** By resource: the latest scope, because the spans of a batch share one. */
  const latest = new Int32Array(resourceTable.length).fill(none);
  for (let row = 0; row < size; row += 1) {
    const resource = resources[row] ?? 0;
    const scope = scopes[row] ?? emptyText;
    if (latest[resource] === scope || !graph.has(row)) continue;
    latest[resource] = scope;
    ofResources[resource]?.add(scope);
  }
  const found = mapBy(resourceTable.keys(), (resource) => resourceTable[resource]?.serviceName ?? null);
  found.delete(null);
  return new Map(
    Array.from(found, ([service, ofService]) => [
      service,
      [
        ...new Set(
          ofService.flatMap((resource) =>
            [...(ofResources[resource] ?? [])].map((scope) => textOf(graph.store, scope)),
          ),
        ),
      ]
        .filter((name) => name !== '')
        .sort()
        .slice(0, maxScopes),
    ]),
  );
}

function describeEvidence({ client, server, during, says }: Shown): readonly Evidence[] {
  const span = client ?? server;
  if (span === null) return [];
  const called = client === null || server === null ? {} : { server: idsOf(server) };
  const caller = client !== null || during === undefined ? {} : { during: idsOf(during) };
  return [{ ...idsOf(span), ...called, ...caller, says: hideSecrets(says) }];
}

function idsOf({ traceId, spanId }: Span): Pick<Span, 'traceId' | 'spanId'> {
  return { traceId, spanId };
}

/** Whether an expected edge of a service to itself, such as through its own queue, has calls. */
function holdsForOneService(edges: readonly EdgeResult[], expectation: Expectation): boolean {
  return edges.some(
    ({ client, server, calls }) => client === server && calls > 0 && isExpected(expectation, client, server),
  );
}

/** Whether only forbidden edges are expected and their services have spans. No other expectation can hold without any edge. */
function holdsWithoutEdge({ expectation, services }: Scene): boolean {
  const rules = expectation.edges.filter((edge) => edge.rule !== 'may');
  return (
    rules.length > 0 &&
    rules.every(
      ({ rule, client, server }) => rule === 'must-not' && services.has(client) && services.has(server),
    )
  );
}

/**
 * SERVER spans that are connected to the caller of their caller, because a broken edge in between was skipped; each with the service that
 * was skipped.
 */
export function indexPassed({
  scene: { graph },
  drafts,
  merged,
}: Pick<Examination, 'scene' | 'drafts' | 'merged'>): ReadonlyMap<number, string | null> {
  const passed = drafts.flatMap((draft) =>
    draft.passed !== undefined && hasError({ found: merged }, draft) ? [draft.passed] : [],
  );
  return new Map(
    passed.flatMap(({ service, servers }) => servers.map((span) => [graph.rowOf(span), service] as const)),
  );
}
