import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { type IntervalIndex, indexIntervals } from '../util/interval-index.ts';
import { remember, rememberOf } from '../util/remember.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';
import type { WireRecord } from './evidence.ts';
import { type CallSide, isInFrontOf, readPeerAddresses } from './place.ts';
import { rounding, timeOf } from './record-index.ts';
import { isLoopbackAddress } from './socket-address.ts';

/** At which services a tap's connections end, by the peer addresses on SERVER spans. */
export interface Connections {
  /** Whether the tap's connection ends at the callee, and does not only reuse the port of another connection. */
  isInFront(record: WireRecord, callee: CallSide): boolean;
  /** Whether a request that the service received while the record was open came through the tap's own connection. */
  endsAt(record: WireRecord, service: string | null): boolean;
}

/** One connection of a tap may share a port with another by chance; two do not. */
const fewestConnections = 2;

/** The requests that a service received. */
interface Taken {
  readonly byPeer: ReadonlyMap<string, readonly Span[]>;
  /** The starts of all requests, in milliseconds. */
  readonly starts: IntervalIndex;
}

export function indexConnections(records: readonly WireRecord[], spans: TraceGraph): Connections {
  const addresses = new Set(records.map(({ callsFrom }) => callsFrom));
  const takenBy = rememberOf((service: string) => indexTaken(service, addresses, spans));
  const byTap = remember(() => mapBy(records, ({ tap }) => tap));
  const standsBefore = remember((tap: string, service: string) =>
    agree(byTap().get(tap) ?? [], takenBy(service)),
  );
  // On loopback, one port may be used for several connections at once if they go to different places.
  const isChance = (record: WireRecord, service: string | null): boolean =>
    record.callsFrom !== null &&
    isLoopbackAddress(record.callsFrom) &&
    service !== null &&
    record.server !== service &&
    !standsBefore(record.tap, service);
  return {
    isInFront: (record, callee) => isInFrontOf(record, callee) && !isChance(record, callee.service),
    endsAt: (record, service) =>
      service !== null && comesTo(record, takenBy(service)) && !isChance(record, service),
  };
}

function comesTo(record: WireRecord, { byPeer }: Taken): boolean {
  const [from, until] = readTimes(record);
  return (byPeer.get(record.callsFrom ?? '') ?? []).some((span) => {
    const start = startOf(span);
    return start >= from && start <= until && isInFrontOf(record, { span, service: null });
  });
}

/** Whether enough of the tap's connections lead to the service, or all that were in use when it received a request. */
function agree(ofTap: readonly WireRecord[], taken: Taken): boolean {
  const leading = new Set<string | null>();
  const others = new Set<string | null>();
  for (const record of ofTap) {
    if (record.status === null || leading.has(record.callsFrom)) continue;
    if (comesTo(record, taken)) leading.add(record.callsFrom);
    else if (
      !taken.starts
        .openBetween(...readTimes(record))
        [Symbol.iterator]()
        .next().done
    )
      others.add(record.callsFrom);
    if (leading.size >= fewestConnections) return true;
  }
  return [...others].every((connection) => leading.has(connection));
}

function readTimes(record: WireRecord): readonly [from: number, until: number] {
  return [timeOf(record) - rounding, timeOf(record) + record.durationMs + rounding];
}

function startOf(span: Span): number {
  return toMilliseconds(span.startTimeUnixNano);
}

function indexTaken(service: string, addresses: ReadonlySet<string | null>, spans: TraceGraph): Taken {
  const byPeer = new Map<string, Span[]>();
  const starts: number[] = [];
  for (const row of spans.rowsOfService(service)) {
    if (!spans.isEntry(row)) continue;
    const span = spans.view(row);
    starts.push(startOf(span));
    for (const address of readPeerAddresses(span)) {
      if (!addresses.has(address)) continue;
      const same = byPeer.get(address);
      if (same === undefined) byPeer.set(address, [span]);
      else same.push(span);
    }
  }
  const points = Float64Array.from(starts);
  return { byPeer, starts: indexIntervals(points, points) };
}
