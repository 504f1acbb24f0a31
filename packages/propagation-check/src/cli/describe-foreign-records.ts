import type { WireContext, WireRecord } from '../headers/evidence.ts';
import { timeOf } from '../headers/record-index.ts';
import { ownParentId } from '../span/own-request.ts';
import { endTimeOf, type SpanStore, startTimeOf, traceIdAt } from '../span/span-store.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';

/** Allowed difference between the clocks of two machines. */
const clockSlackMs = 60_000;
/** Some headers hold only the last 64 bits of a trace id. */
const shortIdLength = 16;

/** Trace ids and times of spans, by which records of other traces are recognised. */
export interface SpanExtent {
  /** The last 64 bits of each trace id, in hex. */
  readonly traces: ReadonlySet<string>;
  readonly from: bigint;
  readonly to: bigint;
}

/** @returns null where there are no spans. */
export function measureExtent(store: SpanStore): SpanExtent | null {
  if (store.size === 0) return null;
  const traces = new Set<string>();
  let [from, to] = [startTimeOf(store, 0), endTimeOf(store, 0)];
  for (let row = 0; row < store.size; row += 1) {
    traces.add(traceIdAt(store, row).slice(-shortIdLength));
    const [start, end] = [startTimeOf(store, row), endTimeOf(store, row)];
    if (start < from) from = start;
    if (end > to) to = end;
  }
  return { traces, from, to };
}

/** Notes that all records of a tap or a packet capture belong to other traces, so that they decide nothing. */
export function describeForeignRecords(
  records: readonly WireRecord[],
  { traces, from, to }: SpanExtent,
): readonly string[] {
  const [first] = records;
  if (first === undefined) return [];
  const [earliest, latest] = [toMilliseconds(from) - clockSlackMs, toMilliseconds(to) + clockSlackMs];
  const mayBeOf = (record: WireRecord): boolean => {
    const ids = readTraceIds(record);
    // A request without a readable header is matched by its time.
    if (ids.length === 0) return timeOf(record) >= earliest && timeOf(record) <= latest;
    return ids.some((id) => traces.has(id.slice(-shortIdLength)));
  };
  if (records.some(mayBeOf)) return [];
  if (records.every(isOwnRequest)) {
    const are = records.length === 1 ? 'its only request is' : `its ${records.length} requests are`;
    const they = records.length === 1 ? 'it shows' : 'they show';
    return [
      `${are} your own, with the traceparent of a step "to decide", and ${they} no call of a service; send requests that make the services call ` +
        'each other through the tap',
    ];
  }
  return [
    `none of its requests belongs to these traces (the first is of ${first.time}, the spans begin at ${toTime(from)}), ` +
      'so it decides nothing; is it from another run?',
  ];
}

/** Whether the request has the header that the report tells users to send. */
function isOwnRequest({ sent, received }: WireRecord): boolean {
  return [sent, received].some((side) =>
    side?.contexts.some((reading) => reading.state === 'valid' && reading.spanId === ownParentId),
  );
}

function readTraceIds({ sent, received, answered }: WireRecord): readonly string[] {
  return [
    ...readContext(sent),
    ...readContext(received),
    ...(answered?.span == null ? [] : [answered.span.traceId]),
  ];
}

function readContext(context: WireContext | null): readonly string[] {
  return (context?.contexts ?? []).flatMap((reading) =>
    reading.state === 'valid' ? (reading.traceId ?? []) : [],
  );
}

function toTime(nanoseconds: bigint): string {
  const time = new Date(toMilliseconds(nanoseconds));
  return Number.isNaN(time.getTime()) ? 'another time' : time.toISOString();
}
