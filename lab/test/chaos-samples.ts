/** Spans for the tests of chaos, and a stack and a source that a test controls. */
import assert from 'node:assert/strict';
import type { Source, Span } from 'propagation-check';
import type { EndedSpan } from '../chaos/ledger.ts';
import type { Stack } from '../chaos/stack.ts';

/** A stack of these parts. The test fails when it uses any other part. */
export function createStack(parts: Partial<Stack>): Stack {
  const unused = () => assert.fail('not to be used');
  return {
    project: 'test',
    serviceA: new URL('http://127.0.0.1:1'),
    jaeger: new URL('http://127.0.0.1:2'),
    docker: unused,
    inspect: unused,
    start: unused,
    replace: unused,
    awaitAll: unused,
    stop: unused,
    kill: unused,
    runNode: unused,
    close: unused,
    ...parts,
  };
}

export function createSource(read: (traceId: string) => readonly Span[] | Promise<readonly Span[]>): Source {
  return {
    name: 'test',
    readTrace: async (id) => read(id),
    searchTraces: async () => [],
    close: async () => undefined,
  };
}

/** The span as Jaeger returns it. */
export function toSpan(ended: EndedSpan): Span {
  return {
    traceId: ended.traceId,
    spanId: ended.spanId,
    parentSpanId: ended.parentSpanId,
    traceState: '',
    flags: null,
    name: ended.name,
    kind: ended.kind,
    startTimeUnixNano: 1n,
    endTimeUnixNano: 2n,
    attributes: new Map(),
    links: [],
    status: { code: 'UNSET', message: '' },
    serviceName: ended.service,
    resource: new Map(),
    scopeName: '',
  };
}
