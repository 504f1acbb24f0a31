import { aheadOf } from '../pairing/align-clocks.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { countOf } from '../util/count-of.ts';
import { describeClockLead } from './clock-skew.ts';
import { formatMilliseconds } from './rule.ts';
import type { Scene } from './scene.ts';

/** What else is known about the edge of a pair. */
interface Surroundings {
  /** Ids in headers prove the pair. */
  readonly isProven: boolean;
  /** Whole calls of the edge show the clock offset. */
  readonly isTimed: boolean;
  /** Calls and requests that are in no pair. */
  readonly calls: number;
  readonly requests: number;
}

/** Why a call and a request of another trace count as one call, and on which evidence. */
export function describePair(
  { clockOffsets }: Pick<Scene, 'clockOffsets'>,
  { client, server, unique }: Pair,
  { isProven, isTimed, calls, requests }: Surroundings,
): string {
  // nginx makes only SERVER spans, which then stand for its calls.
  const call = `${client.kind === 'SERVER' ? 'SERVER' : 'CLIENT'} ${client.spanId}`;
  const request = `SERVER ${server.spanId} of trace ${server.traceId}`;
  if (!unique) return `${call} has no child; such SERVER spans began traces of their own while it was open`;
  if (isProven) return `${call} was answered by ${request}`;
  if (isTimed) return `${call} fits only ${request}`;
  const ahead = aheadOf(clockOffsets, server) - aheadOf(clockOffsets, client);
  if (ahead !== 0n) return `${call} fits only ${request}, if ${describeClockLead(server.serviceName, ahead)}`;
  const late = Number(server.startTimeUnixNano - client.endTimeUnixNano);
  if (late > 0)
    return `${call} fits only ${request}, which began ${formatMilliseconds(late)} after it had ended`;
  return calls > 0 && requests > 0
    ? `${call} fits ${request}, if the clocks agree: ${countOf(calls, 'call')} and ${countOf(requests, 'request')} fit none`
    : `${call} fits only ${request}`;
}
