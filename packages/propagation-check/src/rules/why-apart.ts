import { readCallFacts } from '../calls/call-facts.ts';
import { isUnconnected } from '../calls/unconnected.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { isAround } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { isPlausible } from './expected-calls.ts';
import type { Open, Scene } from './scene.ts';
import { describeUnprovable } from './unprovable.ts';

/** Why a call and a root are not the two sides of one request; null if they can be. */
export function whyApart(scene: Scene, client: Span, server: Span): string | null {
  if (scene.graph.areOfOneTrace(client, server)) return 'of the same trace';
  const unprovable = scene.shared.findUnprovable(client);
  if (unprovable !== null) return `of a call that proves nothing (${describeUnprovable(unprovable)})`;
  if (!isPlausible(scene, client.serviceName, server.serviceName))
    return 'of services that others are expected to call';
  const sameRequest = compareRequests(client, server);
  if (sameRequest === 'no')
    return isUnconnected(client)
      ? 'of another caller: the call made no connection'
      : 'of another request (method, path, status or user agent)';
  if (client.kind === 'SERVER')
    return sameRequest === 'yes' && isPassedOn(client, server) ? null : 'not passed on unchanged';
  if (sameRequest === 'unknown' && !scene.shared.isExpectedDirectly(client.serviceName, server.serviceName))
    return 'matching only in time, on an edge that is not expected';
  return comesFromElsewhere(scene, client, server) ? ofOtherProgram : null;
}

const ofOtherProgram = 'sent by another program (user agent)';

/** Why a call and a root are in no pair; null if they fit, so one of them was paired with a nearer span. */
export function whyUnpaired(scene: Scene, { found }: Open, client: Span, server: Span): string | null {
  const apart = whyApart(scene, client, server);
  if (apart !== null) return apart;
  if (isAround(server, client, scene.thresholds)) return 'open before the call and after it';
  const agents = new Set(
    found
      .filter((draft) => draft.client === client.serviceName && draft.server === server.serviceName)
      .flatMap(({ shown }) => shown)
      .flatMap((pair) =>
        pair.client?.scopeName === client.scopeName && pair.server !== null
          ? [readCallFacts(pair.server).userAgent]
          : [],
      ),
  );
  return agents.size > 0 && !agents.has(readCallFacts(server).userAgent) ? ofOtherProgram : null;
}

/** Whether a gateway passed a request on unchanged. An equal port on two SERVER spans is no evidence. */
function isPassedOn(request: Span, server: Span): boolean {
  const [into, beyond] = [readCallFacts(request), readCallFacts(server)];
  return request.serviceName !== server.serviceName && into.path !== null && into.path === beyond.path;
}

/** Whether the whole calls of this caller's instrumentation have other user agents than this request. */
export function comesFromElsewhere(scene: Scene, client: Span, server: Span): boolean {
  const userAgent = readCallFacts(server).userAgent;
  return userAgent !== null && scene.shared.isOtherAgent(client, server.serviceName, userAgent);
}
