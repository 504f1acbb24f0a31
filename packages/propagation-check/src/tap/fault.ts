import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { HeaderField } from '../headers/evidence.ts';
import { isBaggageHeader, isIdHeader, isTraceHeader } from '../headers/propagation-header.ts';
import { clearSampled, replaceSpanId, truncateTraceId } from './edit-trace-header.ts';
import { TapOptionError } from './tap-option-error.ts';

/** Changes a header on its way to the target. `spanId`: a new span id, 16 lower-case hex digits. */
type HeaderFault = (field: HeaderField, spanId: string) => readonly HeaderField[];

/** Keeps the trace id of a `traceparent`, and cuts its span id. */
const cutLength = 40;

const headerFaults = {
  /** Removes the trace headers of all formats; baggage passes. */
  strip: (field) => (isTraceHeader(field.name) ? [] : [field]),
  /** Replaces the span id, like a hop that starts a span of its own without exporting it. */
  rewrite: (field, spanId) => [replaceSpanId(field, spanId)],
  /** Replaces the first character by `z`, which is invalid there in every format. */
  corrupt: (field) => (isIdHeader(field.name) ? [{ ...field, value: `z${field.value.slice(1)}` }] : [field]),
  /** Truncates the value, like a hop that limits the length of headers. */
  cut: (field) => (isIdHeader(field.name) ? [{ ...field, value: field.value.slice(0, cutLength) }] : [field]),
  /** Adds a second header with another span id, like a client that is instrumented twice. */
  duplicate: (field, spanId) => (isIdHeader(field.name) ? [field, replaceSpanId(field, spanId)] : [field]),
  'drop-baggage': (field) => (isBaggageHeader(field.name) ? [] : [field]),
  /** Sets the sampled flag to 0. */
  unsample: (field) => [clearSampled(field)],
  /** Keeps 64 bits of the trace id: its last 16 hex digits. */
  truncate: (field) => [truncateTraceId(field)],
} as const satisfies Readonly<Record<string, HeaderFault>>;

export type HeaderFaultName = keyof typeof headerFaults;

export type Fault =
  | { readonly name: HeaderFaultName }
  | {
      readonly name: 'delay' /** How long the request is held back, in milliseconds. */;
      readonly ms: number;
    };

const longestDelayMs = 3_600_000;
const faultNames = [...Object.keys(headerFaults), 'delay=MS'].join(', ');

/**
 * Parses a fault of the command line: `strip`, `delay=200`.
 * @throws {TapOptionError} when the fault is unknown, or its milliseconds are not a number up to one hour.
 */
export function parseFault(text: string): Fault {
  if (isHeaderFaultName(text)) return { name: text };
  const delay = /^delay=([0-9]{1,9})$/.exec(text);
  const ms = Number(delay?.[1]);
  if (delay !== null && ms >= 1 && ms <= longestDelayMs) return { name: 'delay', ms };
  if (text === 'delay' || text.startsWith('delay=')) {
    throw new TapOptionError(
      `--fault ${quote(text)}: write the milliseconds, 1 to ${longestDelayMs}: delay=200`,
    );
  }
  throw new TapOptionError(`--fault ${quote(text)}: no such fault; use one of ${faultNames}`);
}

function isHeaderFaultName(text: string): text is HeaderFaultName {
  return Object.hasOwn(headerFaults, text);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** `strip`, `delay=200`: the reverse of `parseFault`. */
export function describeFault(fault: Fault): string {
  return fault.name === 'delay' ? `delay=${fault.ms}` : fault.name;
}

export interface FaultedRequest {
  readonly fields: readonly HeaderField[];
  /** The faults that had an effect: a request without trace headers cannot be stripped. */
  readonly applied: readonly Fault[];
}

/** Applies the faults in order. `spanId`: the new span id for `rewrite` and `duplicate`. */
export function applyFaults(
  fields: readonly HeaderField[],
  faults: readonly Fault[],
  spanId: string,
): FaultedRequest {
  return faults.reduce<FaultedRequest>(
    (before, fault) => {
      const after = fault.name === 'delay' ? before.fields : applyFault(before.fields, fault.name, spanId);
      const applies = fault.name === 'delay' || !isDeepStrictEqual(before.fields, after);
      return { fields: after, applied: applies ? [...before.applied, fault] : before.applied };
    },
    { fields, applied: [] },
  );
}

function applyFault(
  fields: readonly HeaderField[],
  name: HeaderFaultName,
  spanId: string,
): readonly HeaderField[] {
  const change: HeaderFault = headerFaults[name];
  return fields.flatMap((field) => change(field, spanId));
}

export interface FaultDraw {
  /** From 0 up to, but not including, 1. The request gets the faults where this is below the rate. */
  readonly chance: number;
  /** 16 lower-case hex digits, not all zeros. */
  readonly spanId: string;
}

/** Depends only on the seed and the number of the request, so that a run can be repeated. */
export function drawFault(seed: number, requestNumber: number): FaultDraw {
  const digest = createHash('sha256').update(`${seed}/${requestNumber}`).digest();
  const spanId = digest.toString('hex', 8, 16);
  return {
    chance: digest.readUInt32BE(0) / 2 ** 32,
    spanId: /^0+$/.test(spanId) ? spanId.replace(/0$/, '1') : spanId,
  };
}
