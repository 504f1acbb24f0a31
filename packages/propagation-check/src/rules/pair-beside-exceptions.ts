import { readCallFacts } from '../calls/call-facts.ts';
import { arePrompt, doEndsFollow } from '../pairing/awaited.ts';
import { pairContained } from '../pairing/contained.ts';
import { doStartsFollow, pairDisplaced } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { durationOf, startsDuring } from '../pairing/times.ts';
import { mayBeOfOnePool } from '../span/instance.ts';
import type { Span } from '../span/span.ts';
import { earlier, later } from '../util/statistics.ts';
import type { Scene } from './scene.ts';
import type { Thresholds } from './thresholds.ts';

/**
 * Pairs requests that lack their call with calls that began traces, and allows one exception on either side if the data explain it. A
 * request may lack its call if a cache answered it at once, if no paired request has its status, or if it began before the capture. A call
 * may lack its request if that request would end after the capture. The other calls must begin or end with their requests, which calls of a
 * job do not.
 */
export function pairBesideExceptions(
  scene: Scene,
  requests: readonly Span[],
  calls: readonly Span[],
): readonly Pair[] {
  const { capture, thresholds } = scene;
  if (Math.abs(requests.length - calls.length) > 1) return [];
  // The spans of one service share one clock.
  const mayMake = (request: Span, call: Span): boolean =>
    mayBeOfOnePool(request, call) && startsDuring(call, request, thresholds);
  const pairs = pairContained(requests, calls, thresholds, mayMake);
  if (pairs.length < thresholds.fewestBesideExplained) return [];
  const paired = new Set(pairs.flatMap(({ client, server }) => [client, server]));
  const needsNone = prepareNeedsNone(pairs, thresholds);
  const lacksCall = (request: Span): boolean =>
    request.startTimeUnixNano < capture.from || needsNone(request);
  const rest = pairs
    .map(({ client, server }) => client.endTimeUnixNano - server.endTimeUnixNano)
    .reduce(later);
  const withCall = requests.filter((request) => paired.has(request) || !lacksCall(request));
  const withRequest = calls.filter((call) => paired.has(call) || call.endTimeUnixNano + rest < capture.to);
  const [lackCall, lackRequest] = [requests.length - withCall.length, calls.length - withRequest.length];
  // A call without a request may belong to a job, unless the other calls begin with their requests.
  const doFollow =
    doStartsFollow(pairs, thresholds) ||
    (lackRequest === 0 && (arePrompt(pairs, thresholds) || doEndsFollow(pairs, thresholds)));
  if (Math.max(lackCall, lackRequest) > 1 || !doFollow) return [];
  return pairDisplaced(withCall, withRequest, 0, thresholds, mayMake);
}

/** Whether a request needed no call of this kind: a cache answered it at once, or no request of a pair has its status. */
export function prepareNeedsNone(
  pairs: readonly Pair[],
  { cachedDuration }: Pick<Thresholds, 'cachedDuration'>,
): (request: Span) => boolean {
  const shortest = pairs.map(({ client }) => durationOf(client)).reduce(earlier);
  const longest = Number(shortest) * cachedDuration;
  const answers = new Set(pairs.map(({ client }) => readCallFacts(client).statusCode));
  return (request) =>
    Number(durationOf(request)) <= longest || !answers.has(readCallFacts(request).statusCode);
}
