import type { EdgeResult, Result } from 'propagation-check';

/** The label of a capture, from the person who broke the system or left it healthy. */
export interface Label {
  readonly verdict: 'healthy' | 'broken';
  /** Id of the finding that names the real cause. */
  readonly truth: string | null;
  /** Undecided findings that are accepted when `truth` is among their candidates. */
  readonly symptoms: readonly string[];
  /** The broken edges; empty when the fault is inside a service and no edge is broken. */
  readonly brokenEdges: readonly LabelledEdge[];
}

export interface LabelledEdge {
  readonly client: string;
  readonly server: string;
  readonly broken: number;
  readonly total: number;
}

export type Grade = 'healthy' | 'false alarm' | 'named' | 'undecided' | 'wrong' | 'missed';

export interface Score {
  readonly grade: Grade;
  /** The error that decided the grade, or null without an error. */
  readonly reported: string | null;
  /** Whether every broken edge has an error with the right numbers. */
  readonly edgesRight: boolean;
}

/** Compares a result with the label. Pure. */
export function scoreResult(result: Result, label: Label): Score {
  const errors = result.findings.filter((finding) => finding.severity === 'error');
  const first = errors[0]?.id ?? null;
  if (label.verdict === 'healthy') {
    return { grade: first === null ? 'healthy' : 'false alarm', reported: first, edgesRight: first === null };
  }
  const edgesRight = label.brokenEdges.every((edge) => result.edges.some((found) => isSameEdge(found, edge)));
  const onEdge = errors.filter(
    (finding) =>
      label.brokenEdges.length === 0 ||
      label.brokenEdges.some((edge) => edge.client === finding.client && edge.server === finding.server),
  );
  const named = onEdge.find((finding) => finding.id === label.truth);
  if (named !== undefined) return { grade: 'named', reported: named.id, edgesRight };
  const undecided = onEdge.find(
    (finding) =>
      label.symptoms.includes(finding.id) &&
      finding.candidates?.some((candidate) => candidate === label.truth),
  );
  if (undecided !== undefined) return { grade: 'undecided', reported: undecided.id, edgesRight };
  return { grade: first === null ? 'missed' : 'wrong', reported: first, edgesRight };
}

function isSameEdge(found: EdgeResult, edge: LabelledEdge): boolean {
  return (
    found.client === edge.client &&
    found.server === edge.server &&
    found.broken === edge.broken &&
    found.calls === edge.total
  );
}
