import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import type { Open, Scene } from './scene.ts';

/** One condition of a rule. */
export interface Gate<Case> {
  /** The condition in words. `--explain` prints it if it does not hold. */
  readonly name: string;
  readonly isOpen: (features: Case, scene: Scene) => boolean;
  /** The values that decide, in words. */
  readonly describeValues: (features: Case, scene: Scene) => string;
}

interface RuleDefinition<Case> {
  readonly finding: { readonly id: FindingId };
  /** The cases that may show the finding, each with measured features. */
  readonly measure: (scene: Scene, open: Open) => readonly Case[];
  /** All must be open. The first closed gate says why nothing is reported. */
  readonly gates?: readonly Gate<Case>[];
  /** The spans that stay unexplained if the case is not reported. */
  readonly looseEnds?: (features: Case, scene: Scene) => readonly Span[];
  readonly report: (features: Case, scene: Scene) => Draft;
  /** Why a loose end is in no case; null if the rule does not concern such spans. */
  readonly whyNot?: (scene: Scene, open: Open, looseEnd: Span) => string | null;
}

/** A case that a rule measured and did not report. */
export interface Silence {
  readonly finding: FindingId;
  readonly gate: string;
  readonly describeValues: () => string;
  readonly looseEnds: () => readonly Span[];
}

export interface Judgement {
  readonly drafts: readonly Draft[];
  readonly silences: readonly Silence[];
}

export interface Rule {
  readonly finding: FindingId;
  judge(scene: Scene, open: Open): Judgement;
  whyNot(scene: Scene, open: Open, looseEnd: Span): string | null;
}

export function gate<Case>(
  name: string,
  isOpen: (features: Case, scene: Scene) => boolean,
  describeValues: (features: Case, scene: Scene) => string,
): Gate<Case> {
  return { name, isOpen, describeValues };
}

/** Builds a rule: each measured case is reported if all gates are open, asked in order. */
export function rule<Case>({
  finding,
  measure,
  gates = [],
  looseEnds = () => [],
  report,
  whyNot = () => null,
}: RuleDefinition<Case>): Rule {
  return {
    finding: finding.id,
    whyNot,
    judge: (scene, open) => {
      const drafts: Draft[] = [];
      const silences: Silence[] = [];
      for (const features of measure(scene, open)) {
        const closed = gates.find(({ isOpen }) => !isOpen(features, scene));
        if (closed === undefined) {
          drafts.push(report(features, scene));
          continue;
        }
        silences.push({
          finding: finding.id,
          gate: closed.name,
          describeValues: () => closed.describeValues(features, scene),
          looseEnds: () => looseEnds(features, scene),
        });
      }
      return { drafts, silences };
    },
  };
}

/** The compared spans, with how often each reason kept them apart. Null means that a nearer partner was chosen. */
export function describeReasons(compared: string, reasons: readonly (string | null)[]): string {
  if (reasons.length === 0) return compared;
  const named = reasons.map((reason) => reason ?? 'nearer to another').sort();
  const counts = groupBy(named, (reason) => reason).map((same) => `${same.length} ${same[0]}`);
  return `${compared}: ${counts.join(', ')}`;
}

/** Formats nanoseconds for people. */
export function formatMilliseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1_000_000).toFixed(1)} ms`;
}
