import type { TraceState } from '@opentelemetry/api';
import { trimWhitespace } from './trim-whitespace.ts';

/** "list": `list-member 0*31( OWS "," OWS list-member )`. */
const maxMembers = 32;
/** "tracestate Limits": longer lists lose whole members, first those longer than `longMember`. */
const maxLength = 512;
const longMember = 128;

/** "Key". Since 2026-06-29 the grammar of level 2 holds at both levels: `foo@=1` and `2vendor=1` are valid. */
const keyFormat = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
/** "Value": printable ASCII without comma and equals sign; the last character is not a space. */
const valueFormat = /^[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/**
 * Reads the value of `tracestate`, several headers already joined by commas. Null where nothing is to be passed on: the header is
 * empty, has more than 32 members, or a member breaks the grammar. The specification allows to discard the whole header then ("A
 * traceparent is Received", step 7), and the W3C's tests ask for it. Of several members with one key, the first is kept.
 * Source: W3C Trace Context, section 3.3.
 */
export function parseTraceState(header: string): TraceState | null {
  // "list": white space around a member is no part of it, and members may be empty.
  const members = header
    .split(',')
    .map(trimWhitespace)
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > maxMembers) return null;
  const keys = members.map(readKey);
  if (keys.includes(null)) return null;
  // "Combined Header Value": only one entry per key. A changed entry moves to the left, so the first is the newest.
  const distinct = members.filter((_, index) => keys.indexOf(keys[index] ?? null) === index);
  const kept = truncate(distinct);
  return kept.length === 0 ? null : new MemberList(kept);
}

/** Members as they were received. OpenTelemetry's own class drops keys that are valid at level 2 alone. */
class MemberList implements TraceState {
  readonly #members: readonly string[];

  constructor(members: readonly string[]) {
    this.#members = members;
  }

  /** The member that is set comes first: "Mutating the tracestate Field". */
  set(key: string, value: string): TraceState {
    const member = `${key}=${value}`;
    return readKey(member) === null ? this : new MemberList(truncate([member, ...this.#without(key)]));
  }

  unset(key: string): TraceState {
    return new MemberList(this.#without(key));
  }

  get(key: string): string | undefined {
    return this.#members.find((member) => readKey(member) === key)?.slice(key.length + 1);
  }

  serialize(): string {
    return this.#members.join(',');
  }

  #without(key: string): readonly string[] {
    return this.#members.filter((member) => readKey(member) !== key);
  }
}

/** Null for a member that is not a valid key, "=", and a valid value. */
function readKey(member: string): string | null {
  const at = member.indexOf('=');
  const key = member.slice(0, Math.max(at, 0));
  return keyFormat.test(key) && valueFormat.test(member.slice(at + 1)) ? key : null;
}

function truncate(members: readonly string[]): readonly string[] {
  if (members.length <= maxMembers && members.join(',').length <= maxLength) return members;
  // The last long member; where there is none (-1), the last one.
  const leaving = members.findLastIndex((member) => member.length > longMember);
  return truncate(members.toSpliced(leaving, 1));
}
