import { type Answer, followParents } from 'demo';
import type { Span } from 'propagation-check';
import type { EndedSpan } from './ledger.ts';
import type { Outcome } from './traffic.ts';

export interface Evidence {
  /** One outcome for each request that was sent. */
  readonly outcomes: readonly Outcome[];
  /** Every span that ended in a service, according to the services' logs. */
  readonly ended: readonly EndedSpan[];
  /** Every span of these traces as Jaeger's API returns it, after all queues were empty. */
  readonly found: readonly Span[];
}

export interface Account {
  readonly requests: number;
  /** Requests answered with any status. */
  readonly answered: number;
  /** Requests answered with status 200. */
  readonly ok: number;
  /** Number of expected spans. */
  readonly expected: number;
  /** Number of expected spans that are in Jaeger. */
  readonly found: number;
  readonly lost: readonly Discrepancy[];
  /** One for each surplus copy of a span. */
  readonly duplicated: readonly Discrepancy[];
  /** Wrong parents, and other contradictions between answers, logs and Jaeger. */
  readonly wrong: readonly Discrepancy[];
}

export interface Discrepancy {
  readonly traceId: string | null;
  readonly says: string;
}

/**
 * Compares the expected spans with those that Jaeger returns. Two sources that are independent of the span pipeline say what is expected:
 *
 * - the services' logs: every span that ended is expected, whether its request was answered with 200, with 5xx or not at all;
 * - the answers: a request that was answered with 200 has A's SERVER span as root, below it A's CLIENT span with the id that
 *   B received, and B's SERVER span with that id as its parent, each exactly once.
 *
 * A request that reached no process has no ended span, so nothing is expected for it.
 */
export function drawAccount({ outcomes, ended, found }: Evidence): Account {
  const expected = new Map(ended.map((span) => [keyOf(span), span]));
  const seen = Map.groupBy(found, keyOf);
  const endedByTrace = Map.groupBy(expected.values(), ({ traceId }) => traceId);
  const foundByTrace = Map.groupBy(found, ({ traceId }) => traceId);

  const missing = [...expected].filter(([key]) => !seen.has(key)).map(([, span]) => span);
  const incomplete = new Set(missing.map(({ traceId }) => traceId));
  const answers = outcomes.flatMap(({ answer }) => (answer === null ? [] : [answer]));
  const roles = answers.map((answer) =>
    checkAnswer(answer, {
      ended: endedByTrace.get(answer.service_a_trace_id) ?? [],
      // Each id once: duplicates are counted separately.
      found: [
        ...new Map(
          (foundByTrace.get(answer.service_a_trace_id) ?? []).map((span) => [span.spanId, span]),
        ).values(),
      ],
      isComplete: !incomplete.has(answer.service_a_trace_id),
    }),
  );
  const unlogged = roles.flatMap((role) => role.lost);

  return {
    requests: outcomes.length,
    answered: countAnswered(outcomes),
    ok: outcomes.filter(({ status }) => status === 200).length,
    expected: expected.size + unlogged.length,
    found: expected.size - missing.length,
    lost: [...missing.map((span) => note(span.traceId, `${describe(span)} is missing`)), ...unlogged],
    duplicated: [...seen.values()].flatMap(([first, ...more]) =>
      more.map(() => note(first?.traceId ?? null, `${first?.spanId} is there ${more.length + 1} times`)),
    ),
    wrong: [
      ...[...seen].flatMap(([key, [span]]) => (span === undefined ? [] : compare(span, expected.get(key)))),
      ...roles.flatMap((role) => role.wrong),
      ...checkCounts(outcomes, [...expected.values()]),
    ],
  };
}

/** Whether no span is lost, duplicated or wrong, and the run had spans of both services to lose. */
export function isClean({ ok, expected, lost, duplicated, wrong }: Account): boolean {
  return ok > 0 && expected > 0 && lost.length + duplicated.length + wrong.length === 0;
}

/** Compares a span in Jaeger with the same span in the service's log. */
function compare(span: Span, ended: EndedSpan | undefined): readonly Discrepancy[] {
  if (ended === undefined)
    return [note(span.traceId, `${span.spanId} is in Jaeger, and no service has ended it`)];
  const facts = [
    ['parent', span.parentSpanId, ended.parentSpanId],
    ['service', span.serviceName, ended.service],
    ['kind', span.kind, ended.kind],
    ['name', span.name, ended.name],
  ] as const;
  return facts
    .filter(([, there, here]) => there !== here)
    .map(([what, there, here]) =>
      note(span.traceId, `${describe(ended)}: ${what} ${there} instead of ${here}`),
    );
}

interface TraceEvidence {
  readonly ended: readonly EndedSpan[];
  readonly found: readonly Span[];
  /** Whether Jaeger has every span of the trace that ended. */
  readonly isComplete: boolean;
}

/** The fields that both spans from the log and spans from Jaeger have. */
type Facts = Pick<Span, 'serviceName' | 'kind' | 'spanId' | 'parentSpanId'>;

interface RoleCheck {
  /** Spans that are missing in the log too. A span that is missing only in Jaeger is found by its id. */
  readonly lost: readonly Discrepancy[];
  readonly wrong: readonly Discrepancy[];
}

function checkAnswer(answer: Answer, { ended, found, isComplete }: TraceEvidence): RoleCheck {
  const traceId = answer.service_a_trace_id;
  if (!answer.same_trace || !answer.parent_matches_traceparent)
    return { lost: [], wrong: [note(traceId, 'the services did not see one trace')] };

  const sent = answer.traceparent_parent_span_id;
  const roles: readonly (readonly [string, (span: Facts) => boolean])[] = [
    ["A's SERVER span", (span) => is(span, 'service-a', 'SERVER') && span.parentSpanId === null],
    ["A's CLIENT span", (span) => is(span, 'service-a', 'CLIENT') && span.spanId === sent],
    ["B's SERVER span", (span) => is(span, 'service-b', 'SERVER') && span.parentSpanId === sent],
  ];
  const logged: readonly Facts[] = ended.map((span) => ({ ...span, serviceName: span.service }));
  const lost: Discrepancy[] = [];
  const wrong: Discrepancy[] = [];
  for (const [what, plays] of roles) {
    const ids = new Set(found.filter(plays).map(({ spanId }) => spanId));
    if (ids.size > 1) wrong.push(note(traceId, `${ids.size} spans could be ${what}`));
    if (ids.size === 0 && !logged.some(plays)) lost.push(note(traceId, `${what} is missing, in the log too`));
  }
  const [server, client] = roles.map(([, plays]) => found.find(plays));
  if (isComplete && server !== undefined && client !== undefined) {
    const { end } = followParents(client, server, found);
    if (end !== 'target') wrong.push(note(traceId, `A's CLIENT span does not descend from its SERVER span`));
  }
  return { lost, wrong };
}

/** Every answer, even a refusal, has a SERVER span, and only this script sends requests. */
function checkCounts(outcomes: readonly Outcome[], ended: readonly EndedSpan[]): readonly Discrepancy[] {
  const answered = countAnswered(outcomes);
  const unread = outcomes.filter(({ status, answer }) => status === 200 && answer === null).length;
  const served = ended.filter(({ service, kind }) => service === 'service-a' && kind === 'SERVER').length;
  return [
    ...(unread > 0 ? [note(null, `${unread} answers with status 200 are not service A's`)] : []),
    ...(served < answered
      ? [note(null, `${answered} requests were answered, ${served} SERVER spans ended`)]
      : []),
    ...(served > outcomes.length
      ? [note(null, `${outcomes.length} requests were sent, ${served} SERVER spans ended`)]
      : []),
  ];
}

function countAnswered(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ status }) => status !== null).length;
}

function is(span: Facts, service: string, kind: Span['kind']): boolean {
  return span.serviceName === service && span.kind === kind;
}

function keyOf({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>): string {
  return `${traceId}/${spanId}`;
}

function describe({ service, kind, spanId }: EndedSpan): string {
  return `${service} ${kind} ${spanId}`;
}

function note(traceId: string | null, says: string): Discrepancy {
  return { traceId, says };
}
