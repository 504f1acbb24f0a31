import type { Call } from '../calls/call-group.ts';
import type { WireContext } from '../headers/evidence.ts';
import type { HeaderLookup } from '../headers/wire.ts';
import { hasDroppedAttributes } from '../span/dropped-counts.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, keyFor } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { isExpectedCaller } from './expected-calls.ts';
import { groupByEdge, reportCalls } from './report-calls.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

export const finding = defineFinding('baggage-lost', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the trace is intact, and an expected baggage entry is missing',
  title: 'Baggage does not arrive',
  why: 'The trace is whole, but an expected baggage entry is missing in the called service.',
  fix: 'Add baggage to OTEL_PROPAGATORS on both sides and let proxies forward the baggage header.',
});

/** A whole call, with the evidence that baggage entries did not arrive. */
interface BaggageCall extends Call {
  readonly losses: readonly string[];
}

/** The calls of one edge on which an entry did not arrive, or all other calls of the capture. */
interface BaggageCalls {
  readonly entries: readonly Entry[];
  readonly calls: Group<BaggageCall>;
}

/**
 * Reports whole edges on which an expected baggage entry did not arrive: by the headers that a tap saw, otherwise by the attributes that
 * services copy from baggage. Without such evidence it reports nothing.
 */
export const lostBaggage = rule<BaggageCalls>({
  finding,
  measure: (scene) => {
    const { baggage, sentBaggage } = scene.expectation;
    const entries = Object.entries({ ...baggage, ...sentBaggage });
    if (entries.length === 0) return [];
    const recorded = findRecordedKeys(scene.graph.spans, entries);
    const calls = listExpectedCalls(scene).map((call) => ({
      ...call,
      losses: entries.flatMap((entry) => describeLoss(call, entry, scene.headersOf, recorded) ?? []),
    }));
    return groupByEdge(calls, isLossy).map((ofEdge) => ({ entries, calls: ofEdge }));
  },
  gates: [
    gate(
      'a tap or an attribute shows that an entry is missing',
      ({ calls: [first] }) => isLossy(first),
      (all, scene) =>
        `nothing shows ${all.entries.map(show).join(' and ')} in ${listUnshown(scene, all).length} of ${countOf(all.calls.length, 'call')}`,
    ),
  ],
  looseEnds: (all, scene) => listUnshown(scene, all).map(({ client }) => client),
  report: ({ calls }) => reportCalls(finding, calls, ({ losses }) => losses.join('; ')),
});

function isLossy({ losses }: BaggageCall): boolean {
  return losses.length > 0;
}

/** Calls without evidence that all entries arrived. */
function listUnshown({ headersOf }: Scene, { entries, calls }: BaggageCalls): readonly Call[] {
  return calls.filter((call) => !entries.every((entry) => hasArrived(call, entry, headersOf)));
}

/** Entries for which no call shows whether they arrived, as `hello=world`. */
export function listUnshownBaggage(
  scene: Scene,
  baggage: Readonly<Record<string, string>>,
): readonly string[] {
  const entries = Object.entries(baggage);
  if (entries.length === 0) return [];
  const recorded = findRecordedKeys(scene.graph.spans, entries);
  const calls = listExpectedCalls(scene);
  const isShown = (entry: Entry): boolean =>
    calls.some(
      (call) =>
        hasArrived(call, entry, scene.headersOf) ||
        describeLoss(call, entry, scene.headersOf, recorded) !== null,
    );
  return entries.filter((entry) => !isShown(entry)).map(show);
}

function listExpectedCalls(scene: Scene): readonly Call[] {
  return scene
    .calls()
    .filter(({ client, server }) => isExpectedCaller(scene, client.serviceName, server.serviceName));
}

type Entry = readonly [key: string, value: string];

/** Whether the called service received the entry or recorded it as an attribute. */
function hasArrived({ client, server }: Call, entry: Entry, headersOf: HeaderLookup): boolean {
  const [key, value] = entry;
  const headers = headersOf(client, server, { client: client.serviceName, server: server.serviceName });
  const received = headers?.isTied === true ? headers.received : null;
  return readAttribute(server, key) === value || (received !== null && find(received, entry) === 'same');
}

/** @returns Null if the entry arrived, and if there is no evidence. */
function describeLoss(
  { client, server }: Call,
  entry: Entry,
  headersOf: HeaderLookup,
  recorded: ReadonlySet<string>,
): string | null {
  const headers = headersOf(client, server, { client: client.serviceName, server: server.serviceName });
  // Headers that services record themselves hide the values of baggage, or lack baggage.
  if (headers === null || !headers.isTied || headers.isRecorded || headers.received === null) {
    return describeByAttributes(client, server, entry, recorded);
  }
  const arrival = find(headers.received, entry);
  if (arrival === 'same') return null;
  const isSent = headers.sent !== null && find(headers.sent, entry) === 'same';
  return `baggage ${show(entry)} ${isSent ? 'left the caller and' : 'did not leave the caller, and'} ${arrivals[arrival]}`;
}

/** The other value may be private, so it is not shown. */
const arrivals = {
  none: 'did not reach the called service',
  other: 'reached the called service with another value',
} as const;

/** A redacted value counts as the expected one. */
function find({ baggage }: WireContext, [key, value]: Entry): 'same' | 'other' | 'none' {
  const found = baggage.filter((entry) => entry.key === key);
  if (found.some((entry) => entry.redacted === true || entry.value === value)) return 'same';
  return found.length === 0 ? 'none' : 'other';
}

/** Span processors copy baggage to attributes. The attribute names are a custom, not a semantic convention. */
function readAttribute({ attributes }: Span, key: string): string | null {
  const value = attributes.get(`baggage.${key}`) ?? attributes.get(`app.baggage.${key}`);
  return value === undefined ? null : String(value);
}

/** A missing attribute counts only if the service records it on another span of the same kind. */
function findRecordedKeys(spans: readonly Span[], entries: readonly Entry[]): ReadonlySet<string> {
  return new Set(
    spans.flatMap((span) =>
      entries
        .filter(([key]) => readAttribute(span, key) !== null)
        .map(([key]) => keyFor(span.serviceName, span.kind, key)),
    ),
  );
}

function describeByAttributes(
  client: Span,
  server: Span,
  entry: Entry,
  recorded: ReadonlySet<string>,
): string | null {
  const [key, value] = entry;
  const found = readAttribute(server, key);
  if (found === value) return null;
  if (found !== null) {
    return `${server.kind} ${server.spanId} records another value than baggage ${show(entry)}`;
  }
  const wasThere = readAttribute(client, key) === value;
  return wasThere &&
    !hasDroppedAttributes(server) &&
    recorded.has(keyFor(server.serviceName, server.kind, key))
    ? `the caller's span records baggage ${show(entry)}, and ${server.kind} ${server.spanId} does not`
    : null;
}

function show([key, value]: Entry): string {
  return `${key}=${value}`;
}
