import type { Result, Span } from 'propagation-check';
import type { Answer } from './answer.ts';
import type { Statement } from './statement.ts';
import type { Mode } from './statements.ts';

/** The hops between a request and a readable trace. */
export type Hop = 'service A' | 'service B' | 'Collector' | 'Jaeger' | 'trace store';

/** Why there is no verdict. */
export interface Silence {
  readonly hop: Hop;
  readonly reason: string;
}

/** The result of one request to service A. `silence` is null when there is an answer to judge. */
export type Call =
  | { readonly answer: Answer; readonly silence: null; readonly sentAt: number; readonly answeredAt: number }
  | {
      readonly answer: null;
      readonly silence: Silence;
      readonly sentAt: number;
      readonly answeredAt: number;
    };

/** The proof for one request. */
export interface TraceCheck {
  /** `unknown` if and only if `silence` is not null. */
  readonly verdict: 'intact' | 'broken' | 'unknown';
  readonly silence: Silence | null;
  readonly answer: Answer | null;
  readonly statements: readonly Statement[];
  /** The spans of service A's trace and, if it is another one, of service B's. */
  readonly spans: readonly Span[];
  /** From the request to the verdict, in milliseconds. */
  readonly elapsedMs: number;
}

/** The proof for all requests. */
export interface AssertionRun {
  /** `broken` if any trace is broken, otherwise `unknown` if any is unknown, otherwise `intact`. */
  readonly verdict: 'intact' | 'broken' | 'unknown';
  readonly mode: Mode;
  /** The source of the spans, such as `jaeger=http://localhost:16686`. */
  readonly source: string;
  /** At least one. */
  readonly checks: readonly TraceCheck[];
  /** The engine's result for the same spans; null without spans. */
  readonly result: Result | null;
}

/** 0: every statement holds; 1: a statement fails; 2: no verdict. */
export function toExitCode(verdict: AssertionRun['verdict']): 0 | 1 | 2 {
  return verdict === 'intact' ? 0 : verdict === 'broken' ? 1 : 2;
}
