import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { HeaderField } from '../headers/evidence.ts';
import { isBaggageHeader, isIdHeader, isTraceHeader } from '../headers/propagation-header.ts';
import { clearSampled, replaceSpanId, truncateTraceId } from './edit-trace-header.ts';
import { TapOptionError } from './tap-option-error.ts';

/** Changes each header field on its way to the target. `spanId`: a new one, 16 lower-case hex digits. */
type HeaderFault = (field: HeaderField, spanId: string) => readonly HeaderField[];

/** Of a `traceparent` the trace id is whole, and the span id is not. */
const cutLength = 40;

const headerFaults = {
  /** Removes every trace header (all formats); baggage passes. */
  strip: (field) => (isTraceHeader(field.name) ? [] : [field]),
  /** Another span id, as an uninstrumented-looking hop that starts a span of its own sends it. */
  rewrite: (field, spanId) => [replaceSpanId(field, spanId)],
  /** The first character becomes `z`, which no format allows there. */
  corrupt: (field) => (isIdHeader(field.name) ? [{ ...field, value: `z${field.value.slice(1)}` }] : [field]),
  /** Too short, as behind a hop that limits the length of header values. */
  cut: (field) => (isIdHeader(field.name) ? [{ ...field, value: field.value.slice(0, cutLength) }] : [field]),
  /** A second one with another span id, as a client that is instrumented twice sends it. */
  duplicate: (field, spanId) => (isIdHeader(field.name) ? [field, replaceSpanId(field, spanId)] : [field]),
  'drop-baggage': (field) => (isBaggageHeader(field.name) ? [] : [field]),
  /** The sampled flag becomes 0. */
  unsample: (field) => [clearSampled(field)],
  /** 64 bits are left of the trace id: its last 16 hex digits. */
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
 * Reads a fault as it is written on the command line: `strip`, `delay=200`.
 * @throws {TapOptionError} when there is no such fault, or its milliseconds are not a number from 1 to an hour.
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
  /** The faults that changed something: there is nothing to strip from a request without trace headers. */
  readonly applied: readonly Fault[];
}

/** Applies the faults one after the other. `spanId` is the one that `rewrite` and `duplicate` put in. */
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
  /** From 0 (included) to 1 (excluded); the request is faulty when it is below the rate. */
  readonly chance: number;
  /** 16 lower-case hex digits, not all zeros. */
  readonly spanId: string;
}

/** Depends on the seed and the request's number alone, so a run repeats whatever the timing. */
export function drawFault(seed: number, requestNumber: number): FaultDraw {
  const digest = createHash('sha256').update(`${seed}/${requestNumber}`).digest();
  const spanId = digest.toString('hex', 8, 16);
  return {
    chance: digest.readUInt32BE(0) / 2 ** 32,
    spanId: /^0+$/.test(spanId) ? spanId.replace(/0$/, '1') : spanId,
  };
}
