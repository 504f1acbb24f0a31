import { nameAddress, readCallFacts } from '../calls/call-facts.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { protocolOf, type Scene, tellUnprovable } from './check.ts';
import { defineFinding } from './define-finding.ts';
import { gate, rule } from './rule.ts';

export const finding = defineFinding('uninstrumented-peer', {
  kind: 'information',
  isConclusive: false,
  shows: 'a CLIENT span to a peer that emits no spans, and nobody expects any',
  title: 'A peer emits no spans',
  why: 'Calls leave for a service that is not in the data, such as a third party.',
  fix: 'Nothing, if the peer is not yours; otherwise instrument it.',
});

/** The calls of a service to one peer, or all messages. */
interface UnseenPeer {
  readonly scene: Scene;
  readonly clients: Group<Span>;
}

/** The CLIENT spans that are left: calls to peers that emit no spans. Healthy, and good to know. */
export const uninstrumentedPeers = rule<UnseenPeer>({
  finding,
  measure: (scene, open) =>
    groupBy(open.clients, (span) => {
      if (span.kind !== 'CLIENT') return keyFor(span.kind);
      const { host, port } = readCallFacts(span);
      return keyFor(span.serviceName, host, port);
    }).map((clients) => ({ scene, clients })),
  gates: [
    gate(
      'a CLIENT span, which waits for its peer',
      ({ clients: [{ kind }] }) => kind === 'CLIENT',
      ({ clients }) => countOf(clients.length, `${clients[0].kind} span`),
    ),
  ],
  looseEnds: ({ clients }) => clients,
  report: ({ scene, clients }) => {
    const [first] = clients;
    const peer = nameAddress(readCallFacts(first)) ?? 'a peer without name';
    return finding.report({
      client: first.serviceName,
      server: null,
      protocol: protocolOf(first),
      shown: clients.map((client) => ({
        client,
        server: null,
        says: `CLIENT span to ${peer} without a SERVER span${tellAnswer(scene, client)}`,
      })),
    });
  },
});

/** A peer that names its span in the answer takes part in the trace; its spans may go elsewhere. */
function tellAnswer(scene: Scene, client: Span): string {
  const unprovable = scene.shared.findUnprovable(client);
  if (unprovable !== null) return `; ${tellUnprovable(unprovable)}`;
  const headers = scene.headersOf(client, null, { client: client.serviceName, server: null });
  const answered = headers?.answer?.span;
  if (answered?.traceId !== client.traceId) return '';
  return answered.sampled === false
    ? `; the peer answered with its span ${answered.spanId} of this trace, whose sampled flag is 0`
    : `; the peer answered with its span ${answered.spanId} of this trace, which is nowhere in the data`;
}
