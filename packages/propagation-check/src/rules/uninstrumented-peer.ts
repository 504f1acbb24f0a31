import { nameAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { isAborted, readOutcome, readUnreachedStatus } from '../calls/outcome.ts';
import { isUnavailable } from '../calls/rpc-facts.ts';
import { nameTarget } from '../calls/target.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { defineFinding } from './define-finding.ts';
import { type Draft, type EndedCalls, protocolOf } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { describeUnprovable } from './unprovable.ts';

export const finding = defineFinding('uninstrumented-peer', {
  kind: 'information',
  isConclusive: false,
  shows: 'a CLIENT span that no SERVER span has as its parent, and none is expected',
  title: 'Calls without a SERVER span',
  why: 'The called service has no spans in the data, for example as a third party, or was not reached.',
  fix: 'Nothing, if the peer is not yours or was not reached; otherwise instrument it.',
});

/** The calls of a service to one peer, or all PRODUCER spans. */
interface UnseenPeer {
  readonly clients: Group<Span>;
  readonly howEnded: (client: Span) => Ending | null;
}

type Ending = keyof EndedCalls;

const endings: Readonly<Record<Ending, (client: Span) => string>> = {
  failed: () => 'the call failed before an answer',
  unavailable: (client) =>
    `the call ended with status ${readUnreachedStatus(client)}, which ${isUnavailable(client) ? "the caller's own library or a hop may have given" : 'may not come from the peer itself'}`,
  aborted: () => 'the caller ended the call',
  answered: () =>
    'other calls to this address are whole, so that a cache or a hop answered, or the span is lost',
};

/** The CLIENT spans that no rule explained: most call peers without spans. Healthy, and good to know. */
export const uninstrumentedPeers = rule<UnseenPeer>({
  finding,
  measure: (scene, open) => {
    const howEnded = describeEndings(scene);
    return groupBy(open.clients, (span) => {
      if (span.kind !== 'CLIENT') return keyFor(span.kind);
      const { host, port } = readCallFacts(span);
      return keyFor(span.serviceName, host, port);
    }).map((clients) => ({ clients, howEnded }));
  },
  gates: [
    gate(
      'the span is a CLIENT span, which waits for its peer',
      ({ clients: [{ kind }] }) => kind === 'CLIENT',
      ({ clients }) => countOf(clients.length, `${clients[0].kind} span`),
    ),
  ],
  looseEnds: ({ clients }) => clients,
  report: (peer, scene) => describePeer(scene, peer),
});

function describePeer(scene: Scene, { clients, howEnded }: UnseenPeer): Draft {
  const [first] = clients;
  const ended = countEndings(scene, clients, howEnded);
  const peer = nameAddress(readCallFacts(first));
  return finding.report({
    client: first.serviceName,
    server: null,
    protocol: protocolOf(first),
    ...(peer === null ? {} : { peer }),
    ...(ended === null ? {} : { ended }),
    shown: clients.map((client) => ({
      client,
      server: null,
      // A getter, as only a few texts are printed.
      get says() {
        const ending = howEnded(client);
        const why = ending === null ? '' : `: ${endings[ending](client)}`;
        return `CLIENT span to ${peer ?? 'a peer without name'} without a SERVER span${why}${describeAnswer(scene, client)}`;
      },
    })),
  });
}

/** The drafts without those calls to peers that another report already explains. */
export function withoutCallsToPeers(
  scene: Scene,
  drafts: readonly Draft[],
  explained: ReadonlySet<Span>,
): readonly Draft[] {
  if (explained.size === 0) return drafts;
  const howEnded = describeEndings(scene);
  return drafts.flatMap((draft) => {
    if (draft.id !== finding.id) return draft;
    const [first, ...others] = draft.shown.flatMap(({ client }) =>
      client === null || explained.has(client) ? [] : client,
    );
    return first === undefined ? [] : describePeer(scene, { clients: [first, ...others], howEnded });
  });
}

/** How a call ended, if its end does not show whether the peer emits spans; otherwise null. */
function describeEndings({ groupsFrom, facts }: Scene): UnseenPeer['howEnded'] {
  const targetOf = facts.remember(nameTarget);
  const targetsOf = remember((service: string | null) => {
    return new Set(groupsFrom(service).flatMap(({ clients }) => Array.from(clients, targetOf)));
  });
  return (client) => {
    if (isAborted(client)) return 'aborted';
    if (readOutcome(client) === 'unreached') return mayBeOfHop(client) ? 'unavailable' : 'failed';
    return targetsOf(client.serviceName).has(nameTarget(client)) ? 'answered' : null;
  };
}

/** Whether a hop may have given the status. In RPC the caller's own library enforces the deadline and sets DEADLINE_EXCEEDED itself. */
function mayBeOfHop(client: Span): boolean {
  return readCallFacts(client).protocol === 'rpc'
    ? isUnavailable(client)
    : readUnreachedStatus(client) !== null;
}

function countEndings(
  { graph }: Scene,
  clients: readonly Span[],
  howEnded: UnseenPeer['howEnded'],
): EndedCalls | null {
  const counts: { -readonly [Each in Ending]?: number } = {};
  for (const client of clients) {
    const ending = howEnded(client);
    if (ending !== null) counts[ending] = (counts[ending] ?? 0) + weightOf(graph.store, graph.rowOf(client));
  }
  return Object.keys(counts).length === 0 ? null : counts;
}

/** A peer that names its span in the answer takes part in the trace; its spans may be exported elsewhere. */
function describeAnswer(scene: Scene, client: Span): string {
  const unprovable = scene.shared.findUnprovable(client);
  if (unprovable !== null) return `; ${describeUnprovable(unprovable)}`;
  const headers = scene.headersOf(client, null, { client: client.serviceName, server: null });
  const answered = headers?.answer?.span;
  if (answered?.traceId !== client.traceId) return '';
  return answered.sampled === false
    ? `; the peer answered with its span ${answered.spanId} of this trace, whose sampled flag is 0`
    : `; the peer answered with its span ${answered.spanId} of this trace, which is not in the data`;
}
