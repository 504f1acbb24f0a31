import { isDefaultPort, readAddress } from '../calls/address.ts';
import { type Call, viewCalls } from '../calls/call-group.ts';
import { readOutcome } from '../calls/outcome.ts';
import { nameTarget } from '../calls/target.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { mapBy } from '../util/group-by.ts';
import type { Scene } from './scene.ts';

/**
 * Calls of the caller that were continued by services which only the called service is expected to call: it passed the context on and left
 * no span in these traces. It may have spans of other requests, for example if only one of its servers is not instrumented.
 */
export function listDirectCalls(scene: Scene, { client, server }: ExpectedEdge): readonly Call[] {
  const beyond = new Set<string | null>(
    scene.expectation.edges.filter((next) => next.client === server).map((next) => next.server),
  );
  const calls = withoutReplacements(
    scene,
    viewCalls(
      scene.graph,
      scene.groupsFrom(client).filter((group) => beyond.has(group.server)),
    ),
  );
  if (calls.length === 0 || !scene.services.has(server)) return calls;
  const reached = new Set(scene.spansOf(server).map(({ traceId }) => traceId));
  return calls.filter(
    (call) =>
      !reached.has(call.client.traceId) && !scene.shared.isExpectedDirectly(client, call.server.serviceName),
  );
}

/**
 * Leaves out calls that replace a failed one: they went to the address of the SERVER span, after a call of the same trace to another address
 * had reached no server. The address alone proves nothing, because a hop may keep the Host header.
 */
function withoutReplacements(scene: Scene, calls: readonly Call[]): readonly Call[] {
  const direct = new Set(calls.filter(isToOwnAddress));
  if (direct.size === 0) return calls;
  const callers = new Set(Array.from(direct, (call) => call.client.serviceName));
  const failed = mapBy(
    [...callers]
      .flatMap((service) => scene.selectSpans(service, (row) => !scene.graph.hasChild(row)))
      .filter((span) => span.kind === 'CLIENT' && readOutcome(span) === 'unreached'),
    ({ traceId }) => traceId,
  );
  const isReplacement = ({ client }: Call): boolean =>
    (failed.get(client.traceId) ?? []).some(
      (other) =>
        nameTarget(other) !== nameTarget(client) && other.startTimeUnixNano <= client.startTimeUnixNano,
    );
  return calls.filter((call) => !(direct.has(call) && isReplacement(call)));
}

/** Whether the SERVER span names the called address as its own. A hop that keeps the Host header makes this look the same. */
export function isToOwnAddress({ client, server }: Call): boolean {
  const [called, own] = [readAddress(client), readAddress(server)];
  if (called.host === null || called.host !== own.host || called.port === null) return false;
  return own.port === null ? isDefaultPort(called.port) : called.port === own.port;
}
