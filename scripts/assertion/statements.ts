import type { Span } from 'propagation-check';
import { readText } from 'propagation-check/kit';
import { followParents } from './ancestry.ts';
import type { Answer } from './answer.ts';
import { readReceivedHeader } from './received-header.ts';
import { demoParties, findRoles, type Parties, type Roles } from './roles.ts';
import {
  fail,
  failSoFar,
  type Judgement,
  type Place,
  pass,
  place,
  type Statement,
  skip,
  skipSoFar,
} from './statement.ts';
import { findTimingContradictions } from './timing.ts';

export type Mode = 'auto' | 'manual';

export interface StatementOptions {
  readonly mode: Mode;
}

interface Facts {
  readonly answer: Answer;
  readonly spans: readonly Span[];
  readonly roles: Roles;
  readonly mode: Mode;
  readonly parties: Parties;
}

/** In the order of the proof: the answer, then each span, then their relations. */
const table: readonly (readonly [title: string, judge: (facts: Facts) => Judgement])[] = [
  ['A answered 200 and B was reached', judgeReached],
  ['A and B name the same trace id', judgeSameTrace],
  ['the traceparent B received is valid and its span id is the parent B reports', judgeHeader],
  ["exactly one SERVER span of A, and it is the trace's root", judgeServerOfA],
  ['exactly one CLIENT span from A to B, descending from that SERVER span', judgeClientToB],
  ['exactly one SERVER span of B', judgeServerOfB],
  ["the parent of B's SERVER span is A's CLIENT span", judgeParent],
  ["A's CLIENT span id is the one inside the traceparent header", judgeHeaderSpan],
  ['both service names are right and the spans are nested in time', judgeNamesAndTimes],
  ['baggage hello=world arrived at B', judgeBaggage],
];

/**
 * Judges the ten statements of the proof.
 * @param spans the spans of service A's trace and, if it is another one, of service B's trace
 */
export function judgeStatements(
  answer: Answer,
  spans: readonly Span[],
  options: StatementOptions,
): readonly Statement[] {
  const parties = demoParties;
  const distinct = withoutRepeats(spans);
  const roles = findRoles(answer, distinct, parties);
  const facts = { answer, spans: distinct, roles, mode: options.mode, parties };
  return table.map(([title, judge], index) => ({ number: index + 1, title, ...judge(facts) }));
}

/** The statements when service A could not be reached or did not answer 200. */
export function judgeNoAnswer(found: string): readonly Statement[] {
  return table.map(([title], index) => {
    const judgement =
      index === 0 ? fail('status 200, and the ids B answered', found) : skip('there is no answer to judge');
    return { number: index + 1, title, ...judgement };
  });
}

/** Removes duplicates, because a retried export may deliver a span twice. */
function withoutRepeats(spans: readonly Span[]): readonly Span[] {
  const first = new Map(spans.map((span) => [`${span.traceId} ${span.spanId} ${span.kind}`, span]));
  return [...first.values()];
}

function judgeReached({ answer }: Facts): Judgement {
  const b = answer.service_b_trace_id;
  if (b !== null) return pass(`A answered with trace ${answer.service_a_trace_id}`, [traceOfA(answer)]);
  return fail(
    'B answers the trace id of its SERVER span',
    'B was reached and has no trace id: its SDK is off or its HTTP server is not instrumented',
    [traceOfA(answer)],
  );
}

function judgeSameTrace({ answer }: Facts): Judgement {
  const { service_a_trace_id: a, service_b_trace_id: b } = answer;
  const where = [traceOfA(answer), ...traceOfB(answer)];
  if (a !== b) return fail(`B in trace ${a}`, b === null ? 'B names no trace' : `B in trace ${b}`, where);
  if (!answer.same_trace) return fail('same_trace is true', 'same_trace is false for equal ids', where);
  return pass(`both name ${a}`, where);
}

function judgeHeader({ answer }: Facts): Judgement {
  const expected = 'one valid traceparent header, whose span id B takes as the parent of its SERVER span';
  const where = traceOfB(answer);
  const header = readReceivedHeader(answer);
  if (header.state !== 'valid') return fail(expected, header.why, where);
  if (answer.service_b_parent_span_id !== header.spanId) {
    const parent = answer.service_b_parent_span_id;
    const ownSpan =
      answer.service_b_trace_id === null ? 'B reports no SERVER span' : "B's SERVER span is a root";
    const found = parent === null ? ownSpan : `B reports the parent ${parent}`;
    return fail(`B's SERVER span has the parent ${header.spanId}, as in the header`, found, where);
  }
  if (answer.service_b_trace_id !== header.traceId) {
    const expectedTrace = `B in trace ${header.traceId}, as in the header`;
    return fail(expectedTrace, `B in trace ${answer.service_b_trace_id}`, where);
  }
  if (answer.traceparent_parent_span_id !== header.spanId || !answer.parent_matches_traceparent) {
    return fail(
      `A's answer repeats the header's span id ${header.spanId} and says that it is B's parent`,
      `traceparent_parent_span_id ${answer.traceparent_parent_span_id}, parent_matches_traceparent ${answer.parent_matches_traceparent}`,
      where,
    );
  }
  return pass(`${answer.traceparent_header}`, where);
}

function judgeServerOfA({ answer, roles }: Facts): Judgement {
  const expected = `one SERVER span of A without a parent in trace ${answer.service_a_trace_id}`;
  const [server, second] = roles.serverOfA;
  if (server === undefined) return failSoFar(expected, "A's SERVER span has not arrived", [traceOfA(answer)]);
  const where = roles.serverOfA.map((span) => place("A's SERVER span", span));
  if (second !== undefined) return fail(expected, `${roles.serverOfA.length} SERVER spans of A`, where);
  if (server.traceId !== answer.service_a_trace_id) {
    return fail(expected, `A's SERVER span ${server.spanId} is in trace ${server.traceId}`, where);
  }
  if (server.parentSpanId !== null) {
    const found = `A's SERVER span ${server.spanId} has the parent ${server.parentSpanId}: A continues a trace of its caller`;
    return fail(expected, found, where);
  }
  return pass(`${server.spanId} is the root`, where);
}

function judgeClientToB({ answer, roles, spans }: Facts): Judgement {
  const expected = "one CLIENT span from A to B whose parents lead to A's SERVER span";
  const [client, second] = roles.clientToB;
  if (client === undefined) {
    return failSoFar(expected, 'no CLIENT span from A to B has arrived', [traceOfA(answer)]);
  }
  const where = roles.clientToB.map((span) => place("A's CLIENT span", span));
  if (second !== undefined) return fail(expected, `${roles.clientToB.length} CLIENT spans`, where);
  const server = only(roles.serverOfA);
  if (server === null) {
    const fails = roles.serverOfA.length > 1 ? fail : failSoFar;
    return fails(expected, `${client.spanId}, and no single SERVER span of A (statement 4)`, where);
  }

  const { end, last } = followParents(client, server, spans);
  const way = last === client ? `A's CLIENT span ${client.spanId}` : `its ancestor ${last.spanId}`;
  switch (end) {
    case 'target':
      return pass(`${client.spanId} descends from ${server.spanId}`, where);
    case 'absent':
      return failSoFar(expected, `${way} has the parent ${last.parentSpanId}, which has not arrived`, where);
    case 'root':
      return fail(expected, `${way} is a root of trace ${last.traceId}`, where);
    case 'cycle':
      return fail(expected, `the parents of ${client.spanId} form a cycle at ${last.spanId}`, where);
  }
}

function judgeServerOfB({ answer, roles }: Facts): Judgement {
  const expected = `one SERVER span of B in trace ${answer.service_b_trace_id ?? answer.service_a_trace_id}`;
  const [server, second] = roles.serverOfB;
  if (server === undefined) return failSoFar(expected, "B's SERVER span has not arrived", traceOfB(answer));
  const where = roles.serverOfB.map((span) => place("B's SERVER span", span));
  if (second !== undefined) return fail(expected, `${roles.serverOfB.length} SERVER spans of B`, where);
  if (server.traceId !== answer.service_b_trace_id) {
    return fail(expected, `B's SERVER span ${server.spanId} is in trace ${server.traceId}`, where);
  }
  return pass(`${server.spanId}`, where);
}

function judgeParent({ roles }: Facts): Judgement {
  const server = only(roles.serverOfB);
  if (server === null)
    return skipWithout(roles.serverOfB, 'there is no single SERVER span of B (statement 6)');
  const client = only(roles.clientToB);
  const subject = `B's SERVER span ${server.spanId}`;
  const where = [place("B's SERVER span", server)];
  if (server.parentSpanId === null) {
    const expected = `${subject} has A's CLIENT span${client === null ? '' : ` ${client.spanId}`} as its parent`;
    return fail(expected, `${subject} is a root of trace ${server.traceId}`, where);
  }
  if (client === null) {
    return skipWithout(
      roles.clientToB,
      `${subject} has the parent ${server.parentSpanId}; there is no single CLIENT span (statement 5)`,
    );
  }
  const both = [...where, place("A's CLIENT span", client)];
  if (server.parentSpanId !== client.spanId) {
    return fail(`the parent ${client.spanId}`, `${subject} has the parent ${server.parentSpanId}`, both);
  }
  if (server.traceId !== client.traceId) {
    return fail(`${subject} in trace ${client.traceId}`, `it is in trace ${server.traceId}`, both);
  }
  return pass(`${server.spanId} has the parent ${client.spanId}`, both);
}

function judgeHeaderSpan({ answer, roles }: Facts): Judgement {
  const client = only(roles.clientToB);
  const where = client === null ? traceOfB(answer) : [place("A's CLIENT span", client)];
  const expected = `the span id ${client?.spanId ?? "of A's CLIENT span"} inside the traceparent header`;
  const header = readReceivedHeader(answer);
  if (header.state !== 'valid') return fail(expected, header.why, where);
  if (client === null) {
    return skipWithout(
      roles.clientToB,
      `the header names ${header.spanId}; there is no single CLIENT span (statement 5)`,
    );
  }
  if (header.spanId !== client.spanId) return fail(expected, `the header names ${header.spanId}`, where);
  return pass(header.spanId, where);
}

function judgeNamesAndTimes({ roles, parties }: Facts): Judgement {
  const serverOfA = only(roles.serverOfA);
  const client = only(roles.clientToB);
  const serverOfB = only(roles.serverOfB);
  const named = [
    ...(serverOfA === null
      ? []
      : [{ what: "A's SERVER span", span: serverOfA, name: parties.serviceA.name }]),
    ...(serverOfB === null
      ? []
      : [{ what: "B's SERVER span", span: serverOfB, name: parties.serviceB.name }]),
  ];
  const misnamed = named.find(({ span, name }) => span.serviceName !== name);
  if (misnamed !== undefined) {
    const { what, span, name } = misnamed;
    return fail(
      `${what} ${span.spanId} has service.name ${name}`,
      span.serviceName === null ? 'it has none' : `it has ${span.serviceName}`,
      [place(what, span)],
    );
  }
  if (serverOfA === null || client === null || serverOfB === null) {
    const { serverOfA: a, clientToB: c, serverOfB: b } = roles;
    const unclear = [a, c, b].find((spans) => spans.length > 1) ?? [];
    return skipWithout(unclear, 'there is no single span of each kind (statements 4 to 6)');
  }
  const where = [
    place("A's SERVER span", serverOfA),
    place("A's CLIENT span", client),
    place("B's SERVER span", serverOfB),
  ];
  const [contradiction] = findTimingContradictions(serverOfA, client, serverOfB);
  if (contradiction !== undefined) return fail(contradiction.expected, contradiction.found, where);
  return pass(`${parties.serviceA.name} and ${parties.serviceB.name}, nested`, where);
}

/** Service B records the extracted baggage on its SERVER span, because service A's answer does not contain it. */
function judgeBaggage({ roles, mode }: Facts): Judgement {
  if (mode !== 'manual') return skip('only the manual mode sends baggage');
  const server = only(roles.serverOfB);
  if (server === null)
    return skipWithout(roles.serverOfB, 'there is no single SERVER span of B (statement 6)');
  const hello = readText(server, 'baggage.hello');
  const where = [place("B's SERVER span", server)];
  if (hello === 'world') return pass('hello=world', where);
  return fail('baggage.hello=world', hello === null ? 'B extracted no hello' : `hello=${hello}`, where);
}

/** Not conclusive without a span, which may still arrive; conclusive with several, because none disappears. */
function skipWithout(candidates: readonly Span[], found: string): Judgement {
  return candidates.length > 1 ? skip(found) : skipSoFar(found);
}

function only(spans: readonly Span[]): Span | null {
  return spans.length === 1 ? (spans[0] ?? null) : null;
}

function traceOfA(answer: Answer): Place {
  return { what: "A's trace", traceId: answer.service_a_trace_id, spanId: null };
}

function traceOfB(answer: Answer): readonly Place[] {
  const traceId = answer.service_b_trace_id;
  return traceId === null ? [] : [{ what: "B's trace", traceId, spanId: null }];
}
