import { findLostBaggage } from './check/baggage-lost.ts';
import type { Check } from './check/check.ts';
import { findLostClientSpans } from './check/client-span-lost.ts';
import { findClockSkew } from './check/clock-skew.ts';
import { findContextLostInProcess } from './check/context-lost-in-process.ts';
import { findExternalParents } from './check/external-parent.ts';
import { findMissingCalls } from './check/missing-call.ts';
import { findMissingCallers } from './check/missing-caller.ts';
import { findMissingClients } from './check/missing-client.ts';
import { findMissingServers } from './check/missing-server.ts';
import { findPartlySplitEdges } from './check/partly-split-edge.ts';
import { findServersNotInstrumented } from './check/server-not-instrumented.ts';
import { findServerSpansLost } from './check/server-span-lost.ts';
import { findUnnamedServices } from './check/service-unnamed.ts';
import { findSplitsByHand } from './check/split-by-hand.ts';
import { findSplitMessages } from './check/split-message.ts';
import { findSplitTraces } from './check/split-trace.ts';
import { findStaleContext } from './check/stale-context.ts';
import { findTruncatedTraceIds } from './check/trace-id-truncated.ts';
import { findUnexpectedEdges } from './check/unexpected-edge.ts';
import { findUninstrumentedPeers } from './check/uninstrumented-peer.ts';
import { findUnseenEdges } from './check/unseen-edge.ts';
import { findUnseenEntrances } from './check/unseen-entrance.ts';
import { findWrongParents } from './check/wrong-parent.ts';

/**
 * The order matters: a check sees only the spans that no earlier one has explained,
 * so what is conclusive comes first and what argues from absence comes last.
 */
export const checks: readonly Check[] = [
  // Both sides are there and joined, to the wrong thing.
  findTruncatedTraceIds,
  findStaleContext,
  findWrongParents,
  findContextLostInProcess,
  // Both sides are there and apart: in one trace, then in two.
  findMissingClients,
  findSplitTraces,
  findSplitMessages,
  findSplitsByHand,
  findPartlySplitEdges,
  // One side is missing, and something in the same trace shows that it existed.
  findServerSpansLost,
  findLostClientSpans,
  // One side is missing; a whole call of the same kind or an expectation says that it should exist.
  findServersNotInstrumented,
  findMissingServers,
  findMissingCallers,
  findMissingCalls,
  // Only for expected edges that nothing above has spoken of.
  findUnseenEdges,
  findUnseenEntrances,
  // Whole edges that fall short of what is expected of them.
  findLostBaggage,
  findUnexpectedEdges,
  // Not failures: what is left over, and what misleads.
  findUninstrumentedPeers,
  findExternalParents,
  findClockSkew,
  findUnnamedServices,
];
