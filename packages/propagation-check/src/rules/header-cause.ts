import type { SeenContext } from '../headers/captured.ts';
import type {
  AnsweredSpan,
  PropagationFormat,
  TraceContextReading,
  WireContext,
} from '../headers/evidence.ts';
import { formats } from '../headers/propagation-header.ts';
import type { CallHeaders } from '../headers/wire.ts';
import type { Span } from '../span/span.ts';
import type { FindingMeta } from './define-finding.ts';
import type { FindingId } from './finding.ts';

/** One broken call with what is known about its headers. */
export interface CallOnWire {
  readonly client: Span | null;
  readonly server: Span | null;
  readonly headers: CallHeaders;
  /** The first candidate that spans alone give. */
  readonly likeliest: FindingId | null;
  /** Whether the expectations say that the called service names its SERVER span in every answer. */
  readonly namesItsSpan: boolean;
}

/** Causes for which some header arrived. */
export const arrived: readonly FindingId[] = [
  'header-malformed',
  'header-duplicated',
  'header-ignored',
  'header-rewritten',
];

/** Causes for which the caller sends nothing. */
export const silent: readonly FindingId[] = ['header-not-sent', 'client-not-instrumented'];
/** Causes for which the caller sends no `traceparent`. */
export const unsent: readonly FindingId[] = [...silent, 'format-mismatch'];

export type Side = 'caller' | 'callee';

/** A cause that headers show. */
export interface HeaderCause {
  readonly finding: FindingMeta;
  /**
   * The cause is certain only if nothing stands between the tap and each of these `sides`. `excludes` lists the causes that the headers
   * rule out wherever the tap stood.
   */
  readonly needs?: {
    readonly sides: readonly Side[];
    readonly excludes?: readonly FindingId[];
    /**
     * Causes that the headers make unlikely wherever the tap stood. They stay possible, as a hop before the tap may have changed the
     * headers.
     */
    readonly unlikely?: readonly FindingId[];
  };
  readonly explain: (call: CallOnWire) => string | null;
}

/** The parsed `traceparent`, or null if there is none. */
export function readTracecontext(context: WireContext | null): TraceContextReading | null {
  return context?.contexts.find((reading) => reading.format === 'tracecontext') ?? null;
}

/** Whether the record looked for the format and did not find it. */
export function lacks(context: SeenContext, format: PropagationFormat): boolean {
  return context.lookedFor.has(format) && !context.contexts.some((reading) => reading.format === format);
}

export function lacksEvery(context: SeenContext): boolean {
  return formats.every((format) => lacks(context, format));
}

/**
 * The span that the called service named in its answer, if that span is not in the data. A span that is in the data belongs to another
 * service: a service that only passes the context on returns the span that it was sent.
 */
export function readMissingAnswer({ server, headers: { answer } }: CallOnWire): AnsweredSpan | null {
  return server !== null || answer === null || answer.isDelivered ? null : answer.span;
}

/** The formats by name, or `no propagation header`. */
export function nameFormats(context: WireContext): string {
  return context.contexts.map((reading) => reading.format).join(', ') || 'no propagation header';
}
