import type { Span } from 'propagation-check';

/** One of the ten statements of the assertion, judged on the spans that have arrived. */
export interface Statement {
  /** 1 to 10. */
  readonly number: number;
  readonly title: string;
  /** `skipped`: the statement's span is missing, which another statement reports, or the statement does not apply to the mode. */
  readonly state: 'passed' | 'failed' | 'skipped';
  /** True when no span that arrives later can change the state. */
  readonly conclusive: boolean;
  readonly expected: string;
  readonly found: string;
  /** The ids that the statement is about. */
  readonly where: readonly Place[];
}

export interface Place {
  /** Such as `A's CLIENT span`. */
  readonly what: string;
  readonly traceId: string;
  readonly spanId: string | null;
}

/** A statement without its number and title. */
export type Judgement = Omit<Statement, 'number' | 'title'>;

export function pass(found: string, where: readonly Place[] = []): Judgement {
  return { state: 'passed', conclusive: true, expected: '', found, where };
}

/** The evidence contradicts the statement; later spans cannot change this. */
export function fail(expected: string, found: string, where: readonly Place[] = []): Judgement {
  return { state: 'failed', conclusive: true, expected, found, where };
}

/** The statement does not hold with the spans that have arrived so far. */
export function failSoFar(expected: string, found: string, where: readonly Place[] = []): Judgement {
  return { state: 'failed', conclusive: false, expected, found, where };
}

/** The span of the statement has not arrived. */
export function skipSoFar(found: string): Judgement {
  return { state: 'skipped', conclusive: false, expected: '', found, where: [] };
}

/** The statement does not apply. */
export function skip(found: string): Judgement {
  return { state: 'skipped', conclusive: true, expected: '', found, where: [] };
}

export function place(what: string, span: Span): Place {
  return { what, traceId: span.traceId, spanId: span.spanId };
}
