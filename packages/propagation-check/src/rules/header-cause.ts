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

/** One broken call with what is known of its headers. */
export interface CallOnWire {
  readonly client: Span | null;
  readonly server: Span | null;
  readonly headers: CallHeaders;
  /** The first candidate from spans alone. */
  readonly likeliest: FindingId | null;
  /** Whether the called service is said to name its SERVER span in every answer. */
  readonly namesItsSpan: boolean;
}

/** Causes of which a header would have arrived. */
export const arrived: readonly FindingId[] = [
  'header-malformed',
  'header-duplicated',
  'header-ignored',
  'header-rewritten',
];

/** A caller that sends nothing. */
export const silent: readonly FindingId[] = ['header-not-sent', 'client-not-instrumented'];
/** A caller that sends no `traceparent`. */
export const unsent: readonly FindingId[] = [...silent, 'format-mismatch'];

/** The two ends of a call. */
export type Side = 'caller' | 'callee';

/** Says why the headers show this cause, or null where they do not. */
export interface HeaderCause {
  readonly finding: FindingMeta;
  /**
   * The cause is certain only where nothing stands between the tap and each of these sides. `excludes` holds the causes that the
   * headers rule out wherever the tap stood.
   */
  readonly needs?: {
    readonly sides: readonly Side[];
    readonly excludes?: readonly FindingId[];
    /** Causes that the headers make unlikely wherever the tap stood: a hop before it may have done what speaks against them. */
    readonly unlikely?: readonly FindingId[];
  };
  readonly explain: (call: CallOnWire) => string | null;
}

/** The reading of `traceparent`, or null where there is none. */
export function readTracecontext(context: WireContext | null): TraceContextReading | null {
  return context?.contexts.find((reading) => reading.format === 'tracecontext') ?? null;
}

/** Whether somebody looked for the format, and it was not there. */
export function lacks(context: SeenContext, format: PropagationFormat): boolean {
  return context.lookedFor.has(format) && !context.contexts.some((reading) => reading.format === format);
}

export function lacksEvery(context: SeenContext): boolean {
  return formats.every((format) => lacks(context, format));
}

/**
 * The span with which the called service answered, where it is nowhere in the data. One that is there is of somebody else:
 * a service that only hands the context on gives back what it was sent.
 */
export function readMissingAnswer({ server, headers: { answer } }: CallOnWire): AnsweredSpan | null {
  return server !== null || answer === null || answer.isDelivered ? null : answer.span;
}

/** The formats by name, or `no propagation header`. */
export function nameFormats(context: WireContext): string {
  return context.contexts.map((reading) => reading.format).join(', ') || 'no propagation header';
}
