import { readAddress } from '../calls/address.ts';
import { readDestination } from '../calls/messaging-facts.ts';
import { areOfOneBroker, readBroker } from '../calls/messaging-system.ts';
import type { Roots } from '../calls/roots.ts';
import type { Rows } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import type { Scene } from '../rules/scene.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { listRenamed } from './list-renamed.ts';

/** Finds services that may be the missing other side of calls and messages. */
export interface PossibleSides {
  /** Services with root requests that fit the calls of one service to one peer. */
  calledBy(calls: Group<Span>): readonly string[];
  /** Services with root messages of the same destination. */
  receiversOf(messages: Group<Span>): readonly string[];
  /**
   * Services that sent messages to the destination that the receiver did not receive as theirs. Null if it received all of them, so that
   * somebody else sent this message.
   */
  sendersOf(message: Span): readonly string[] | null;
}

/** A service at a destination of a broker. */
interface Place {
  readonly service: string | null;
  readonly destination: string;
  readonly broker: string | null;
}

export function findPossibleSides(scene: Scene, roots: Roots): PossibleSides {
  const receivers = remember(() =>
    mapBy(
      roots.services().flatMap((service) => [...listPlaces(scene, roots.rowsOf(service)).values()]),
      ({ destination }) => destination,
    ),
  );
  const senders = remember(() => mapBy(listSent(scene), ({ destination }) => destination));
  const readBy = remember(
    (service: string | null) =>
      new Set(scene.groupsInto(service).flatMap(({ clients }) => Array.from(clients))),
  );
  const renamedBy = remember((service: string | null) => listRenamed(scene, scene.groupsInto(service)));
  const sendersTo = remember((service: string | null, destination: string, broker: string | null) => {
    const read = readBy(service);
    const isSent = isOf({ service, broker });
    const sentTo = (name: string) => (senders().get(name) ?? []).filter(isSent);
    const sent = sentTo(destination);
    // Other senders may name the destination differently, so null needs a sender that uses the receiver's name.
    const renamed = renamedBy(service).filter(({ received }) => received === destination);
    const all = [...sent, ...renamed.flatMap((one) => sentTo(one.sent))];
    const unread = all.filter(({ row }) => !read.has(row));
    return sent.length > 0 && unread.length === 0 ? null : nameServices(unread);
  });
  const requests = indexRequests(roots);
  return {
    calledBy: (calls) => listCalled(requests, calls),
    receiversOf: ([first]) => {
      const places = receivers().get(readDestination(first) ?? '') ?? [];
      return nameServices(places.filter(isOf({ service: first.serviceName, broker: readBroker(first) })));
    },
    sendersOf: (message) =>
      sendersTo(message.serviceName, readDestination(message) ?? '', readBroker(message)),
  };
}

/** Whether a place is another service's at what may be the same broker. */
function isOf(own: Pick<Place, 'service' | 'broker'>): (place: Place) => boolean {
  return ({ service, broker }) => service !== own.service && areOfOneBroker(broker, own.broker);
}

function nameServices(places: readonly Place[]): readonly string[] {
  return [...new Set(places.flatMap(({ service }) => service ?? []))].toSorted();
}

function listPlaces({ graph, facts }: Scene, rows: Rows): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const row of rows) {
    if (graph.store.kinds[row] !== kindNumber.consumer) continue;
    const call = facts.at(row);
    const [destination, broker] = [readDestination(call), readBroker(call)];
    const key = keyFor(destination, broker);
    if (destination !== null && !places.has(key))
      places.set(key, { service: graph.serviceOf(row), destination, broker });
  }
  return places;
}

/** All PRODUCER spans with a destination. */
function listSent({ graph, facts }: Scene): readonly (Place & { readonly row: number })[] {
  const sent: (Place & { readonly row: number })[] = [];
  for (const [row, kind] of graph.store.kinds.entries()) {
    if (kind !== kindNumber.producer || !graph.has(row)) continue;
    const call = facts.at(row);
    const destination = readDestination(call);
    if (destination !== null)
      sent.push({ row, service: graph.serviceOf(row), destination, broker: readBroker(call) });
  }
  return sent;
}

/** The first requests of services that began traces. */
interface FirstRequests {
  readonly services: readonly string[];
  /** Services by name in lower case, as host names are compared. */
  named(label: string): readonly string[];
  of(service: string): readonly Span[];
}

function indexRequests(roots: Roots): FirstRequests {
  const services = roots.services().flatMap((service) => service ?? []);
  const byName = remember(() => mapBy(services, (service) => service.toLowerCase()));
  return {
    services,
    named: (label) => byName().get(label) ?? [],
    of: remember((service: string) =>
      roots.first(service, bounds.fewestPlainComparisons).filter(({ kind }) => kind === 'SERVER'),
    ),
  };
}

/** The service whose name is the first label of the host name; otherwise the only service with a fitting request. */
function listCalled({ services, named, of }: FirstRequests, calls: Group<Span>): readonly string[] {
  const [{ serviceName: caller }] = calls;
  const isOther = (service: string): boolean => service !== caller;
  const label = readAddress(calls[0]).host?.replace(/\..*$/, '').toLowerCase();
  const ofHost = named(label ?? '').filter(isOther);
  const found =
    ofHost.length > 0
      ? ofHost.filter((service) => of(service).length > 0)
      : services.filter((service) => isOther(service) && hasFitting(calls, of(service)));
  return found.length === 1 ? found : [];
}

function hasFitting(calls: readonly Span[], requests: readonly Span[]): boolean {
  return calls
    .slice(0, bounds.fewestPlainComparisons)
    .some((call) =>
      requests.some((request) => compareRequests(call, request) === 'yes' && isAddressedTo(call, request)),
    );
}
