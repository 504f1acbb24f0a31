import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FindingId, Severity } from '../../src/rules/finding.ts';
import type { AttributeValue, Span } from '../../src/span/span.ts';
import { earlier, later } from '../../src/util/statistics.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from './read-drawing.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');

/** A break that its drawing shows without expectations or taps. */
interface Fault {
  readonly file: string;
  readonly spans: readonly Span[];
  readonly errors: readonly EdgeFinding[];
}

interface EdgeFinding {
  readonly id: FindingId;
  readonly severity: Severity;
  readonly edge: string;
  readonly count: number;
}

/**
 * In how many of some 9,900 mixtures the error of one fault is hidden by another fault on the same edge. In each kind listed, the other
 * fault makes the evidence ambiguous: requests without a call, or calls and roots that are left over, come from both. Nearly all involve
 * drawings with a single exceptional call or request; a mixture has it twice, and any further exception hides the fault.
 */
const vanishing: Readonly<Partial<Record<FindingId, number>>> = {
  'context-lost-in-process': 1508,
  'split-trace': 482,
  'stale-context': 224,
  'header-malformed': 23,
  'missing-client': 13,
  'wrong-parent': 13,
  'server-span-lost': 9,
  'header-passed-through': 1,
};

test('faults on one edge hide each other in no more mixtures than are known', () => {
  const faults = globSync('*/broken*.txt', { cwd: fixtures }).sort().flatMap(readFault);
  const vanished = new Map<FindingId, number>();
  let mixtures = 0;
  for (const [at, one] of faults.entries()) {
    for (const other of faults.slice(at + 1)) {
      if (!haveEdgeInCommon(one, other)) continue;
      mixtures += 1;
      const found = listFindings(mix(one, other)).filter(({ severity }) => severity !== 'info');
      for (const { id, edge } of [...one.errors, ...other.errors]) {
        const isThere = found.some((error) => error.id === id && error.edge === edge);
        // Another finding may report the same calls: with more evidence, a break has another name.
        const isCounted = countOn(edge, found) >= 2 * countOn(edge, [...one.errors, ...other.errors]);
        if (!isThere && !isCounted) vanished.set(id, (vanished.get(id) ?? 0) + 1);
      }
    }
  }
  assert.ok(mixtures > 5_000, `${mixtures} mixtures`);
  assert.deepEqual(Object.fromEntries(vanished), vanishing);
});

function readFault(file: string): readonly Fault[] {
  const { spans } = readDrawing(readFileSync(join(fixtures, file), 'utf8'));
  const errors = listFindings(spans).filter(({ severity }) => severity === 'error');
  return errors.length === 0 ? [] : [{ file, spans, errors }];
}

function listFindings(spans: readonly Span[]): readonly EdgeFinding[] {
  return checkTraces(spans)
    .findings.filter(({ evidence }) => evidence.length > 0)
    .map(({ id, severity, client, server, count }) => ({
      id,
      severity,
      edge: `${client} -> ${server}`,
      count,
    }));
}

function haveEdgeInCommon(one: Fault, other: Fault): boolean {
  return one.errors.some(({ edge }) => other.errors.some((error) => error.edge === edge));
}

function countOn(edge: string, errors: readonly EdgeFinding[]): number {
  return errors.filter((error) => error.edge === edge).reduce((sum, { count }) => sum + count, 0);
}

/** Both drawings in turn, twice, so that neither is only at an end of the capture. */
function mix(one: Fault, other: Fault): readonly Span[] {
  let at = one.spans.map((span) => span.startTimeUnixNano).reduce(earlier);
  return [one, other, one, other].flatMap(({ spans }, turn) => {
    const from = spans.map((span) => span.startTimeUnixNano).reduce(earlier);
    const to = spans.map((span) => span.endTimeUnixNano).reduce(later);
    const by = at - from;
    at += to - from + pause;
    return spans.map((span) => move(span, by, 'bcde'.charAt(turn)));
  });
}

const pause = 10_000_000_000n;

/** @param digit Makes the ids different; it is in the half of a trace id that 64-bit tracers keep. */
function move(span: Span, by: bigint, digit: string): Span {
  const rename = (id: string): string => `${id.slice(0, -10)}${digit}${id.slice(-9)}`;
  const renameIn = (value: AttributeValue): AttributeValue =>
    typeof value === 'string'
      ? value.replace(/\b([\da-f]{16}|[\da-f]{32})\b/g, rename)
      : Array.isArray(value)
        ? value.map(renameIn)
        : value;
  return {
    ...span,
    traceId: rename(span.traceId),
    spanId: rename(span.spanId),
    parentSpanId: span.parentSpanId === null ? null : rename(span.parentSpanId),
    startTimeUnixNano: span.startTimeUnixNano + by,
    endTimeUnixNano: span.endTimeUnixNano + by,
    links: span.links.map(({ traceId, spanId }) => ({ traceId: rename(traceId), spanId: rename(spanId) })),
    attributes: new Map(Array.from(span.attributes, ([name, value]) => [name, renameIn(value)])),
  };
}
