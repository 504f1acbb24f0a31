import type { EdgeProtocol } from '../calls/call-group.ts';
import { finding as baggageLost } from './baggage-lost.ts';
import { finding as clientNotInstrumented } from './client-not-instrumented.ts';
import { finding as clientSpanLost } from './client-span-lost.ts';
import { finding as clockSkew } from './clock-skew.ts';
import { finding as contextLostInProcess } from './context-lost-in-process.ts';
import type { Finding, Prose } from './define-finding.ts';
import { finding as externalParent } from './external-parent.ts';
import type { FindingId } from './finding.ts';
import { finding as formatMismatch } from './format-mismatch.ts';
import { finding as headerDuplicated } from './header-duplicated.ts';
import { finding as headerIgnored } from './header-ignored.ts';
import { finding as headerMalformed } from './header-malformed.ts';
import { finding as headerNotSent } from './header-not-sent.ts';
import { finding as headerPassedThrough } from './header-passed-through.ts';
import { finding as headerRewritten } from './header-rewritten.ts';
import { finding as headerStripped } from './header-stripped.ts';
import { finding as missingCall } from './missing-call.ts';
import { finding as missingClient } from './missing-client.ts';
import { finding as missingServer } from './missing-server.ts';
import { finding as notSampled } from './not-sampled.ts';
import { finding as parentDropped } from './parent-dropped.ts';
import { finding as serverNotInstrumented } from './server-not-instrumented.ts';
import { finding as serverSpanLost } from './server-span-lost.ts';
import { finding as serviceUnnamed } from './service-unnamed.ts';
import { finding as spanLostInService } from './span-lost-in-service.ts';
import { finding as splitTrace } from './split-trace.ts';
import { finding as staleContext } from './stale-context.ts';
import { finding as traceIdTruncated } from './trace-id-truncated.ts';
import { finding as unexpectedEdge } from './unexpected-edge.ts';
import { finding as uninstrumentedPeer } from './uninstrumented-peer.ts';
import { finding as wrongParent } from './wrong-parent.ts';

/** All findings by id, in the order of the docs. A finding without an entry does not compile. */
export const findings: { readonly [Id in FindingId]: Finding<Id> } = {
  'split-trace': splitTrace,
  'header-not-sent': headerNotSent,
  'header-stripped': headerStripped,
  'format-mismatch': formatMismatch,
  'header-malformed': headerMalformed,
  'header-duplicated': headerDuplicated,
  'header-ignored': headerIgnored,
  'header-rewritten': headerRewritten,
  'header-passed-through': headerPassedThrough,
  'parent-dropped': parentDropped,
  'trace-id-truncated': traceIdTruncated,
  'missing-call': missingCall,
  'client-not-instrumented': clientNotInstrumented,
  'missing-server': missingServer,
  'server-not-instrumented': serverNotInstrumented,
  'server-span-lost': serverSpanLost,
  'missing-client': missingClient,
  'client-span-lost': clientSpanLost,
  'not-sampled': notSampled,
  'context-lost-in-process': contextLostInProcess,
  'stale-context': staleContext,
  'wrong-parent': wrongParent,
  'baggage-lost': baggageLost,
  'unexpected-edge': unexpectedEdge,
  'span-lost-in-service': spanLostInService,
  'service-unnamed': serviceUnnamed,
  'clock-skew': clockSkew,
  'external-parent': externalParent,
  'uninstrumented-peer': uninstrumentedPeer,
};

/** The texts for a finding on an edge with this protocol. */
export function proseOf(id: FindingId, protocol: EdgeProtocol): Prose {
  const finding = findings[id];
  return protocol === 'messaging' ? { ...finding, ...finding.ofMessages } : finding;
}
