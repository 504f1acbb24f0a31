import type { ExpectedEdge } from '../expect/expectation.ts';
import { listUnshownBaggage } from '../rules/baggage-lost.ts';
import type { Draft } from '../rules/draft.ts';
import { findUnnamedSide, hasCall, hasError, type UnnamedSide } from '../rules/expected-calls.ts';
import { keepLinks, leftOut } from '../rules/left-out-links.ts';
import { isSlip, suggestService } from '../rules/misspelt-service.ts';
import type { LooseEnds, Scene, UnprovableCall } from '../rules/scene.ts';
import { provesArrival } from '../rules/span-lost-in-service.ts';
import { listStepsToDecide } from '../rules/steps-to-decide.ts';
import { namePeer } from '../rules/tolerated-peer.ts';
import { countUnlinked, listUnprovable } from '../rules/unprovable.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { listNames } from '../util/list-names.ts';
import { nameService } from '../util/name-service.ts';
import { describeDetour } from './describe-detour.ts';
import { describeUnlinked } from './list-open-calls.ts';
import { listCallsToPeers } from './list-unjudged.ts';
import type { Undecided } from './result.ts';

/** The expectations that the capture neither proves nor refutes: no call and no error concerns them. */
export function listUndecided(
  scene: Scene,
  { clients }: Pick<LooseEnds, 'clients'>,
  drafts: readonly Draft[],
): readonly Undecided[] {
  const edges = scene.expectation.edges.flatMap((edge): readonly Undecided[] => {
    const says = describeUndecided(scene, clients, drafts, edge);
    return says === null ? [] : [{ client: edge.client, server: edge.server, says }];
  });
  const baggage = listUnshownBaggage(scene, scene.expectation.baggage).map((entry) => ({
    client: null,
    server: null,
    says: describeUnshown(entry),
  }));
  return [...edges, ...baggage];
}

/** Why an expected or forbidden edge is undecided; null where it is decided. */
function describeUndecided(
  scene: Scene,
  clients: readonly Span[],
  drafts: readonly Draft[],
  { client, server, rule }: ExpectedEdge,
): string | null {
  if (rule === 'may' || hasCall(scene, client, server) || hasError({ found: drafts }, { client, server }))
    return null;
  const unnamed = findUnnamedSide(scene, { client, server }, drafts);
  if (unnamed !== null) return describeUnnamed(unnamed, { client, server });
  if (rule === 'must-not') {
    const possible = scene.services.has(server) ? null : findPossibleCall(drafts, { client, server });
    return possible === null
      ? (describeSlip(scene, { client, server }) ?? describeAbsentCaller(scene, { client, server }))
      : `${client} calls ${possible}, which has no span: send its spans to the same place, or list it under tolerated-peers if it is another`;
  }
  const ofEdge = drafts.filter((draft) => draft.client === client && draft.server === server);
  if (ofEdge.some(provesArrival)) return null;
  if (scene.shared.isReachedThrough(client, server)) return describeDetour(scene, client, server);
  const unlinked = countUnlinked(scene, { client, server });
  if (unlinked > 0)
    return `links of ${countOf(unlinked, 'message')} of ${server} are ${leftOut}, so that nothing tells whose they are: ${keepLinks}`;
  const unprovable = listUnprovable(scene, clients, { client, server });
  if (unprovable.length > 0) return describeUnprovable(unprovable, server);
  const [warned] = ofEdge;
  const strange = listStrange(scene, { client, server });
  if (strange.length > 0 && (warned === undefined || describeMisspelt(scene, strange) !== null))
    return describeStrange(scene, strange);
  const absent =
    warned === undefined
      ? 'no call of it has its other side here'
      : `no call of it is whole, and the data leave open whether it is broken (${warned.id})`;
  const step =
    (warned === undefined ? null : findStep(warned)) ??
    'add the spans of both services, and send a request that makes the call';
  return `${absent}: ${step}`;
}

/** The first step to decide a warning on failed calls, or on messages whose sender has spans. */
function findStep(warned: Draft): string | null {
  const isOfMessages = warned.protocol === 'messaging';
  if (warned.id !== 'missing-server' || (warned.doubt === undefined && !isOfMessages)) return null;
  const [step] = warned.doubt?.decide ?? listStepsToDecide(warned);
  return step === undefined ? null : `to decide: ${step}`;
}

/** A misspelt name, a service that exports elsewhere or not at all, and a service that nothing called yet look alike. */
function describeStrange(scene: Scene, strange: readonly string[]): string {
  const meant = describeMisspelt(scene, strange);
  if (meant !== null && strange.some((service) => isSlip(scene, service))) return meant;
  const known = scene.services.names().filter((name) => name !== null);
  const absent = meant ?? `no span of ${strange.join(' or ')} is here, only of ${listNames(known)}:`;
  return `${absent} ${meant === null ? 'check' : 'If not, check'} the name (service.name) and where the service exports, and send a request that makes the call`;
}

/** A forbidden edge with a misspelt name would never fail. */
function describeSlip(scene: Scene, sides: Sides): string | null {
  const strange = listStrange(scene, sides);
  return strange.some((service) => isSlip(scene, service)) ? describeMisspelt(scene, strange) : null;
}

/** Only the spans of the caller can show that it does not make a forbidden call. */
function describeAbsentCaller(scene: Scene, { client, server }: Sides): string | null {
  if (scene.services.has(client)) return null;
  const known = scene.services.names().filter((name) => name !== null);
  const others = known.length === 0 ? '' : `, only of ${listNames(known)}`;
  return (
    `no span of ${client} is here${others}, so that nothing tells whether it calls ${server}: check the name ` +
    '(service.name) and where the service exports, and send a request that it takes part in'
  );
}

function describeMisspelt(scene: Scene, strange: readonly string[]): string | null {
  const meant = strange.flatMap((service) => suggestService(scene, service) ?? []);
  return meant.length === 0 ? null : `no span of ${strange.join(' or ')} is here: ${meant.join('; ')}`;
}

function listStrange(scene: Scene, { client, server }: Sides): readonly string[] {
  return [client, server].filter((service) => !scene.services.has(service));
}

function describeUnnamed({ side, as }: UnnamedSide, { client, server }: Sides): string {
  const [missing, known, verb] =
    side === 'server' ? [server, client, 'is called by'] : [client, server, 'calls'];
  return `${missing} has no span and may be ${nameService(as)}, which ${verb} ${known}: set OTEL_SERVICE_NAME of ${missing}`;
}

function describeUnprovable(calls: readonly UnprovableCall[], server: string): string {
  const cached = calls.filter(({ why }) => why === 'cached-answer').length;
  return cached > 0
    ? `the answers of ${cached} of its calls name spans of other calls: a cache gave them, or clocks are apart; send a request that no cache answers, and check again`
    : describeUnlinked(calls.length, server);
}

/** Baggage that requests of this tool carried beside the expected baggage, where nothing shows whether it arrived. */
export function listUnshownEntries(scene: Scene): readonly string[] {
  const { baggage, sentBaggage = {} } = scene.expectation;
  const isSentAlone = ([key]: readonly [string, string]): boolean => !Object.hasOwn(baggage, key);
  const sentAlone = Object.fromEntries(Object.entries(sentBaggage).filter(isSentAlone));
  return listUnshownBaggage(scene, sentAlone).map(describeUnshown);
}

function describeUnshown(entry: string): string {
  return `nothing shows whether baggage ${entry} arrives: have the called service copy it to an attribute (baggage span processor), or record the headers with a tap (--wire)`;
}

/** The address of a peer without spans whose host name is the service name, with or without a domain. */
function findPossibleCall(drafts: readonly Draft[], { client, server }: Sides): string | null {
  const called = listCallsToPeers(drafts.filter((draft) => draft.client === client));
  const names = called.map((span) => namePeer(span).filter((name) => name !== null));
  const isMeant = (name: string): boolean =>
    name.replace(/[.:].*$/, '').toLowerCase() === server.toLowerCase();
  return names.find((some) => some.some(isMeant))?.at(0) ?? null;
}

type Sides = Pick<ExpectedEdge, 'client' | 'server'>;
