import { bounds } from '../pairing/bounds.ts';
import type { Span, SpanKind } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { type Draft, listExplained } from './draft.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import { toOpen } from './open-ends.ts';
import type { Silence } from './rule.ts';
import { rules } from './rules-in-order.ts';
import type { LooseEnds, Open, Scene } from './scene.ts';

/** A span that is one side of a call, lacks the other side, and is in no report. Part of the JSON report. */
export interface UnreportedEnd {
  readonly traceId: string;
  readonly spanId: string;
  readonly service: string | null;
  readonly kind: SpanKind;
  readonly name: string;
  /** The rules that examined the span, each with the condition that did not hold. */
  readonly reasons: readonly ClosedGate[];
  /** Only for calls under `unjudged`: why this call cannot be judged. */
  readonly unjudged?: string;
}

/** Spans that cannot be judged, and why. */
export interface UnjudgedEnds {
  readonly spans: readonly Span[];
  readonly says: string;
}

/** A condition of a finding that did not hold. */
export interface ClosedGate {
  readonly finding: FindingId;
  readonly gate: string;
  readonly values: string;
}

/**
 * Why the remaining loose ends are not reported: calls without another side, requests without a caller at services with known callers,
 * spans whose parent is missing, spans that a rule examined (such as whole calls that begin traces), and calls that cannot be judged.
 * Information does not count as a report. At most the first 500.
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
  const open = toOpen(looseEnds, drafts);
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
        ...(silencesOf.get(span) ?? []).map(({ finding, gate, describeValues }) => ({
          finding,
          gate,
          values: describeValues(),
        })),
        ...(withoutOther.has(span) ? describeWhyNot(scene, open, span, silencesOf.get(span) ?? []) : []),
      ]),
      ...describeUnjudged(unjudgedFor.get(span)),
    }));
}

function describeUnjudged(says: string | undefined): Pick<UnreportedEnd, 'unjudged'> {
  return says === undefined ? {} : { unjudged: hideSecrets(says) };
}

/** Warnings and information are about services and peers: their calls may be broken all the same. */
function isOfCall({ id }: Draft): boolean {
  return findings[id].kind === 'cause' || findings[id].kind === 'symptom';
}

function hasKnownCallers(scene: Scene, service: string | null): boolean {
  return (
    scene.groupsInto(service).length > 0 ||
    scene.expectation.edges.some((edge) => edge.server === service && edge.rule !== 'must-not')
  );
}

/** Why the span is in no case of the other rules. */
function describeWhyNot(
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

/** Keeps the last reason of each gate. */
function uniteReasons(reasons: readonly ClosedGate[]): readonly ClosedGate[] {
  return [...new Map(reasons.map((reason) => [keyFor(reason.finding, reason.gate), reason])).values()];
}
