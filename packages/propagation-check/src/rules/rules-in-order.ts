import { lostBaggage } from './baggage-lost.ts';
import { queuedCalls } from './calls-of-queue.ts';
import { lostClientSpans } from './client-span-lost.ts';
import { apartClocks } from './clock-skew.ts';
import { callsAfterMessages, callsAfterRequests } from './context-lost-after-consumer.ts';
import { contextLostBeforeWork } from './context-lost-before-work.ts';
import { contextLostBetweenClients } from './context-lost-between-clients.ts';
import { contextLostBetweenLayers } from './context-lost-between-layers.ts';
import { detachedByRoute } from './context-lost-by-route.ts';
import { contextLostBeforePeers, detachedCalls } from './context-lost-in-process.ts';
import { callsUnderLoad } from './context-lost-under-load.ts';
import { crossedCalls } from './crossed-calls.ts';
import { externalParents } from './external-parent.ts';
import { headersPassedThrough } from './header-passed-through.ts';
import { lostAttempts } from './lost-attempts.ts';
import { lostRetries } from './lost-retries.ts';
import { lostServices } from './lost-service.ts';
import { misledMessages } from './misled-message.ts';
import { whollyMissingCalls } from './missing-call.ts';
import { missingCallers } from './missing-caller.ts';
import { missingClients } from './missing-client.ts';
import { missingLoopbacks } from './missing-loopback.ts';
import { partlyMissingServers } from './missing-server.ts';
import { droppedParents } from './parent-dropped.ts';
import { partlyMissingCalls } from './partly-missing-calls.ts';
import { partlySplitEdges } from './partly-split-edge.ts';
import { partlySplitMessages } from './partly-split-messages.ts';
import { possibleCalls } from './possible-call.ts';
import { possibleMessages } from './possible-message.ts';
import { proxiesBesideCalls } from './proxy-beside-calls.ts';
import type { Rule } from './rule.ts';
import { serversNotInstrumented } from './server-not-instrumented.ts';
import { lostServerSpans } from './server-span-lost.ts';
import { unnamedServices } from './service-unnamed.ts';
import { spansLostInServices } from './span-lost-in-service.ts';
import { splitBatches } from './split-batch.ts';
import { splitsByHand } from './split-by-hand.ts';
import { splitConversations } from './split-conversation.ts';
import { splitInvocations } from './split-invocations.ts';
import { splitMessages } from './split-message.ts';
import { messagesSplitById } from './split-message-id.ts';
import { splitRedirects } from './split-redirect.ts';
import { splitSidecars } from './split-sidecar.ts';
import { splitTraces } from './split-trace.ts';
import { staleCalls } from './stale-context.ts';
import { staleHeaders } from './stale-headers.ts';
import { truncatedTraceIds } from './trace-id-truncated.ts';
import { unexpectedEdges } from './unexpected-edge.ts';
import { uninstrumentedPeers } from './uninstrumented-peer.ts';
import { darkServices, unseenEdges } from './unseen-edge.ts';
import { unseenEntrances } from './unseen-entrance.ts';
import { whollyMissingServers } from './wholly-missing-servers.ts';
import { wrongParents } from './wrong-parent.ts';

/**
 * The order matters: a rule sees only the spans that no earlier rule has explained. Conclusive rules come first, rules that argue from
 * missing spans last.
 */
export const rules: readonly Rule[] = [
  // Both sides are in the data, joined to the wrong span or trace.
  truncatedTraceIds,
  staleCalls,
  queuedCalls,
  staleHeaders,
  wrongParents,
  misledMessages,
  crossedCalls,
  headersPassedThrough,
  proxiesBesideCalls,
  droppedParents,
  splitSidecars,
  detachedCalls,
  contextLostBetweenClients,
  callsUnderLoad,
  detachedByRoute,
  lostRetries,
  // All spans of a service in between are missing; otherwise its caller and its callee would be taken for the two sides of one call.
  lostServices,
  // Both sides are in the data and not joined: in one trace, then in two.
  missingClients,
  splitInvocations,
  splitTraces,
  lostAttempts,
  splitRedirects,
  messagesSplitById,
  splitConversations,
  splitMessages,
  partlySplitMessages,
  splitBatches,
  splitsByHand,
  partlySplitEdges,
  // One side is missing, and other spans of the trace show that it existed.
  lostServerSpans,
  lostClientSpans,
  // One side is missing, and whole calls of the same kind or an expectation show that it should exist.
  serversNotInstrumented,
  partlyMissingServers,
  whollyMissingServers,
  missingCallers,
  whollyMissingCalls,
  partlyMissingCalls,
  // Inside one service: spans that no rule above explains.
  contextLostBeforePeers,
  callsAfterMessages,
  callsAfterRequests,
  contextLostBetweenLayers,
  missingLoopbacks,
  contextLostBeforeWork,
  // Expected edges without a report from the rules above.
  darkServices,
  unseenEdges,
  unseenEntrances,
  // Whole edges that do not meet an expectation.
  lostBaggage,
  unexpectedEdges,
  // No errors: remaining spans, and data that mislead.
  possibleCalls,
  possibleMessages,
  uninstrumentedPeers,
  spansLostInServices,
  externalParents,
  apartClocks,
  unnamedServices,
];
