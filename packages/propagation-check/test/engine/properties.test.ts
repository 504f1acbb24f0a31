import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Expectation, noExpectation } from '../../src/expect/expectation.ts';
import { separateSharedSpans } from '../../src/span/shared-span-ids.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { cases } from '../cases.ts';
import { drawTrace } from '../draw-trace.ts';
import { cutCall, generateSystem, hostileSpans, type System } from './generate-system.ts';

/** Fixed, so that every run tries the same systems. When a failure prints another seed and path, add them here. */
const seed = 20261124;

const system = generateSystem('s');
/** A system, and the same system with one call cut. */
const broken = system
  .map(({ spans, calls }) => ({ spans, calls, fit: calls.filter(isInside) }))
  .filter(({ fit }) => fit.length > 0)
  .chain(({ spans, calls, fit }) =>
    fc.constantFrom(...fit).map((call) => ({ call, calls, spans: cutCall(spans, call) })),
  );
const anySpans = fc.oneof(
  system.map(({ spans }) => spans),
  broken.map(({ spans }) => spans),
  hostileSpans,
);

test('a healthy system raises no error, with and without expectation', () => {
  fc.assert(
    fc.property(system, ({ spans, calls }) => {
      assert.deepEqual(errorsOf(checkTraces(spans)), []);
      assert.deepEqual(errorsOf(checkTraces(spans, { expectation: expectEdges(calls) })), []);
    }),
    { seed, numRuns: cases(250) },
  );
});

test('every call of a healthy system is counted, none as broken', () => {
  fc.assert(
    fc.property(system, ({ spans, calls }) => {
      const { edges } = checkTraces(spans, { expectation: expectEdges(calls) });
      assert.equal(
        edges.reduce((sum, edge) => sum + edge.calls, 0),
        calls.length,
      );
      assert.ok(edges.every((edge) => edge.broken === 0));
    }),
    { seed, numRuns: cases(100) },
  );
});

test('one cut call is reported on its edge, once', () => {
  fc.assert(
    fc.property(broken, ({ spans, calls, call }) => {
      const [client, server] = [call.client.serviceName, call.server.serviceName];
      const result = checkTraces(spans, { expectation: expectEdges(calls) });
      assert.deepEqual(errorsOf(result), [`split-trace ${client} -> ${server} 1`]);
      const edge = result.edges.find((one) => one.client === client && one.server === server);
      assert.equal(edge?.broken, 1);
      assert.equal(edge.calls, calls.filter((one) => isSameEdge(one, call)).length);
    }),
    { seed, numRuns: cases(250) },
  );
});

test('spans in any order give the same result', () => {
  fc.assert(
    fc.property(
      anySpans.chain((spans) =>
        fc.tuple(
          fc.constant(spans),
          fc.shuffledSubarray([...spans], { minLength: spans.length, maxLength: spans.length }),
        ),
      ),
      ([spans, shuffled]) => {
        const options = { expectation: expectAll(spans.map((span) => span.serviceName)) };
        assert.deepEqual(checkTraces(shuffled), checkTraces(spans));
        assert.deepEqual(checkTraces(shuffled, options), checkTraces(spans, options));
      },
    ),
    { seed, numRuns: cases(250) },
  );
});

test('spans that arrive twice change nothing', () => {
  fc.assert(
    fc.property(
      anySpans.chain((spans) => fc.tuple(fc.constant(spans), fc.shuffledSubarray([...spans]))),
      ([spans, again]) => {
        const copies = again.map((span) => ({ ...span }));
        assert.deepEqual(checkTraces([...spans, ...copies]), checkTraces(spans));
      },
    ),
    { seed, numRuns: cases(150) },
  );
});

test('another healthy system beside a system changes no finding', () => {
  fc.assert(
    fc.property(fc.oneof(system, broken), generateSystem('other'), (one, other) => {
      const expectation = expectEdges(one.calls);
      const alone = checkTraces(one.spans, { expectation });
      const beside = checkTraces([...one.spans, ...other.spans], { expectation });
      const isOfOne = (name: string | null): boolean => name === null || name.startsWith('s');
      assert.deepEqual(
        beside.findings.filter(({ client, server }) => isOfOne(client) && isOfOne(server)),
        alone.findings,
      );
      assert.deepEqual(
        beside.edges.filter(({ client, server }) => isOfOne(client) && isOfOne(server)),
        alone.edges,
      );
    }),
    { seed, numRuns: cases(150) },
  );
});

test('hostile spans give a consistent result', () => {
  fc.assert(
    fc.property(hostileSpans, (spans) => {
      for (const expectation of [expectAll([]), expectAll(spans.map((span) => span.serviceName))]) {
        const result = checkTraces(spans, { expectation });
        const separate = separateSharedSpans(spans.map((span) => ({ span, isShared: false })));
        const known = new Set(separate.map((span) => `${span.traceId}:${span.spanId}`));
        assert.equal(result.spans, known.size);
        assert.equal(result.traces, new Set(spans.map((span) => span.traceId)).size);
        assert.equal(result.verdict === 'broken', errorsOf(result).length > 0);
        for (const { calls, broken } of result.edges) assert.ok(broken <= calls);
        for (const { evidence, count } of result.findings) {
          assert.ok(evidence.length <= Math.max(count, 0));
          for (const { traceId, spanId } of evidence) assert.ok(known.has(`${traceId}:${spanId}`));
        }
      }
    }),
    { seed, numRuns: cases(500) },
  );
});

test('times beyond 64 bits become the nearest 64-bit time', () => {
  const [span] = drawTrace('SERVER orders GET  b2  10..20');
  assert.ok(span);
  const check = (start: bigint, end: bigint) =>
    checkTraces([{ ...span, startTimeUnixNano: start, endTimeUnixNano: end }]);
  assert.deepEqual(check(-(10n ** 400n), 10n ** 400n), check(0n, 2n ** 64n - 1n));
});

test('no spans give no verdict', () => {
  assert.deepEqual(checkTraces([]), {
    version: 1,
    verdict: 'unknown',
    traces: 0,
    spans: 0,
    edges: [],
    findings: [],
  });
});

function errorsOf(result: Result): readonly string[] {
  return result.findings
    .filter((finding) => finding.severity === 'error')
    .map(({ id, client, server, count }) => `${id} ${client} -> ${server} ${count}`);
}

/** A SERVER span that begins well before its CLIENT span and ends after it looks like the cause of the call. */
function isInside({ client, server }: System['calls'][number]): boolean {
  return (
    server.startTimeUnixNano + 100_000n >= client.startTimeUnixNano ||
    server.endTimeUnixNano <= client.endTimeUnixNano
  );
}

function isSameEdge(left: System['calls'][number], right: System['calls'][number]): boolean {
  return (
    left.client.serviceName === right.client.serviceName &&
    left.server.serviceName === right.server.serviceName
  );
}

function expectEdges(calls: System['calls']): Expectation {
  const edges = calls.map(({ client, server }) => ({
    client: client.serviceName ?? '',
    server: server.serviceName ?? '',
    rule: 'must' as const,
  }));
  const distinct = new Map(edges.map((edge) => [`${edge.client} ${edge.server}`, edge]));
  return { ...noExpectation, edges: [...distinct.values()] };
}

/** Expects every service to call every other one. */
function expectAll(names: readonly (string | null)[]): Expectation {
  const services = [...new Set(names.flatMap((name) => name ?? []))].sort();
  const edges = services.flatMap((client) =>
    services
      .filter((server) => server !== client)
      .map((server) => ({ client, server, rule: 'must' as const })),
  );
  return { ...noExpectation, edges };
}
