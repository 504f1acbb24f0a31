/** Why a `traceparent` is invalid. Each reason has a text in `traceparentFaults`. */
export type TraceparentFault = keyof typeof traceparentFaults;

/** One line for each reason, for reports. */
export const traceparentFaults = {
  empty: 'it is empty',
  'version-invalid': 'its version is not two lower-case hex digits followed by "-"',
  'version-ff': 'its version is ff, which is forbidden',
  'upper-case': 'it has upper-case hex digits',
  'too-short': 'it is shorter than 55 characters',
  'too-long': 'version 00 has exactly 55 characters, it has more',
  'extra-fields-invalid': 'what follows its trace flags does not start with "-"',
  'trace-id-invalid': 'its trace id is not 32 hex digits followed by "-"',
  'trace-id-zero': 'its trace id is all zeros',
  'parent-id-invalid': 'its parent id is not 16 hex digits followed by "-"',
  'parent-id-zero': 'its parent id is all zeros',
  'flags-invalid': 'its trace flags are not two hex digits',
} as const;

export interface Traceparent {
  readonly state: 'valid';
  /** Two lower-case hex digits; `00` unless the sender uses a later version. */
  readonly version: string;
  /** 32 lower-case hex digits, not all zeros. */
  readonly traceId: string;
  /** The `parent-id` field, the caller's span id: 16 lower-case hex digits, not all zeros. */
  readonly spanId: string;
  /** The `trace-flags` octet. In a later version only the sampled bit has a known meaning. */
  readonly flags: number;
  readonly sampled: boolean;
}

export interface MalformedTraceparent {
  readonly state: 'malformed';
  readonly reason: TraceparentFault;
}

const length = 55;
const sampledFlag = 0x01;

/**
 * Parses one `traceparent` field value without surrounding white space (which HTTP does not count as part of a value). A version later than
 * 00 is parsed as the specification requires: the fields of version 00, then anything after another `-`. Never throws. Source: W3C Trace
 * Context, section 3.2 (header) and 3.3 / 4 (versioning).
 */
export function parseTraceparent(value: string): Traceparent | MalformedTraceparent {
  const reason = findFault(value);
  if (reason !== null) return { state: 'malformed', reason };
  const flags = Number.parseInt(value.slice(53, 55), 16);
  return {
    state: 'valid',
    version: value.slice(0, 2),
    traceId: value.slice(3, 35),
    spanId: value.slice(36, 52),
    flags,
    sampled: (flags & sampledFlag) !== 0,
  };
}

/** If there are several faults, names the one that makes the rest meaningless. */
function findFault(value: string): TraceparentFault | null {
  if (value === '') return 'empty';
  const fields = value.slice(0, length);
  if (/^[0-9a-f-]*[A-F]/.test(fields) && /^[0-9a-f-]+$/i.test(fields)) return 'upper-case';
  const version = value.slice(0, 2);
  if (!/^[0-9a-f]{2}(-|$)/.test(value.slice(0, 3))) return 'version-invalid';
  if (version === 'ff') return 'version-ff';
  if (value.length < length) return 'too-short';
  if (!/^[0-9a-f]{32}-$/.test(value.slice(3, 36))) return 'trace-id-invalid';
  if (!/^[0-9a-f]{16}-$/.test(value.slice(36, 53))) return 'parent-id-invalid';
  if (!/^[0-9a-f]{2}$/.test(value.slice(53, length))) return 'flags-invalid';
  if (/^0+$/.test(value.slice(3, 35))) return 'trace-id-zero';
  if (/^0+$/.test(value.slice(36, 52))) return 'parent-id-zero';
  if (value.length === length) return null;
  if (version === '00') return 'too-long';
  return value[length] === '-' ? null : 'extra-fields-invalid';
}

/**
 * Splits values that a server joined with commas. A later version may contain a comma, so a value is split only if every part looks like a
 * `traceparent`.
 */
export function splitTraceparents(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => {
    const parts = value.split(',').map(trimWhitespace);
    const all = parts.every((part) => /^[0-9a-f]{2}-[0-9a-f]{32}-/i.test(part));
    return parts.length > 1 && all ? parts : [trimWhitespace(value)];
  });
}

/** Optional white space of RFC 9110, section 5.6.3: only space and tab. */
function trimWhitespace(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}
