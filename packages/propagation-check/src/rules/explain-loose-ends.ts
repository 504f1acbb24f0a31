import { bounds } from '../pairing/bounds.ts';
import type { Span, SpanKind } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { type Draft, listExplained } from './draft.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import type { Silence } from './rule.ts';
import { rules } from './rules-in-order.ts';
import type { LooseEnds, Open, Scene } from './scene.ts';

/** A side of a call without its other side that no report names. Part of the JSON report. */
export interface UnreportedEnd {
  readonly traceId: string;
  readonly spanId: string;
  readonly service: string | null;
  readonly kind: SpanKind;
  readonly name: string;
  /** The rules that looked at it, and the condition of each that did not hold. */
  readonly reasons: readonly ClosedGate[];
  /** Only of calls under `unjudged`: why nothing here can judge this one. */
  readonly unjudged?: string;
}

/** Sides of calls that nothing here can judge, and why. */
export interface UnjudgedEnds {
  readonly spans: readonly Span[];
  readonly says: string;
}

/** A condition of a finding that does not hold. */
export interface ClosedGate {
  readonly finding: FindingId;
  /** The condition of a report. */
  readonly gate: string;
  /** The values that decided. */
  readonly values: string;
}

/**
 * Why nothing is reported of the loose ends that are left: calls without another side, requests without a caller at services
 * of which callers are known, spans whose parent is nowhere, what a rule looked at, such as whole calls that begin traces and requests that fit
 * those of another service, and calls that nothing can judge. Information is no report. Of very many the first 500.
 */
export function explainLooseEnds(
  scene: Scene,
  looseEnds: LooseEnds,
  drafts: readonly Draft[],
  silences: readonly Silence[],
  unjudged: readonly UnjudgedEnds[],
): readonly UnreportedEnd[] {
  const explained = new Set(drafts.filter(isOfCall).flatMap(listExplained));
  const silencesOf = mapBy(
    silences.flatMap((silence) => silence.looseEnds().map((span) => ({ ...silence, span }))),
    ({ span }) => span,
  );
  const withoutOther = new Set([
    ...looseEnds.clients,
    ...[...looseEnds.roots].filter((span) => hasKnownCallers(scene, span.serviceName)),
    ...looseEnds.orphans,
  ]);
  const unjudgedFor = new Map(
    unjudged.flatMap(({ spans, says }) => spans.map((span) => [span, says] as const)),
  );
  const open: Open = { ...looseEnds, found: drafts };
  return [...new Set([...withoutOther, ...silencesOf.keys(), ...unjudgedFor.keys()])]
    .filter((span) => !explained.has(span))
    .slice(0, bounds.unreportedEnds)
    .map((span) => ({
      traceId: span.traceId,
      spanId: span.spanId,
      service: span.serviceName,
      kind: span.kind,
      name: hideSecrets(span.name),
      reasons: uniteReasons([
        ...(silencesOf.get(span) ?? []).map(({ finding, gate, tell }) => ({ finding, gate, values: tell() })),
        ...(withoutOther.has(span) ? tellWhyNot(scene, open, span, silencesOf.get(span) ?? []) : []),
      ]),
      ...tellUnjudged(unjudgedFor.get(span)),
    }));
}

function tellUnjudged(says: string | undefined): Pick<UnreportedEnd, 'unjudged'> {
  return says === undefined ? {} : { unjudged: hideSecrets(says) };
}

/** Warnings and information speak of services and peers: a call may be broken beside them. */
function isOfCall({ id }: Draft): boolean {
  return findings[id].kind === 'cause' || findings[id].kind === 'symptom';
}

function hasKnownCallers(scene: Scene, service: string | null): boolean {
  return (
    scene.groupsInto(service).length > 0 ||
    scene.expectation.edges.some((edge) => edge.server === service && edge.rule !== 'must-not')
  );
}

/** Why the span is in no case of the rules that were not silent of it. */
function tellWhyNot(
  scene: Scene,
  open: Open,
  span: Span,
  silences: readonly Silence[],
): readonly ClosedGate[] {
  const spoke = new Set(silences.map(({ finding }) => finding));
  return rules.flatMap((rule) => {
    const values = spoke.has(rule.finding) ? null : rule.whyNot(scene, open, span);
    return values === null ? [] : [{ finding: rule.finding, gate: 'another side is there', values }];
  });
}

/** The last of each gate. */
function uniteReasons(reasons: readonly ClosedGate[]): readonly ClosedGate[] {
  return [...new Map(reasons.map((reason) => [keyFor(reason.finding, reason.gate), reason])).values()];
}
