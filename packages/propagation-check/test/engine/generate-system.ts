import fc from 'fast-check';
import type { Attributes, AttributeValue, Span, SpanKind } from '../../src/span/span.ts';

/** A call between two services of a generated system. */
export interface MadeCall {
  readonly client: Span;
  readonly server: Span;
}

/** A healthy system: every call is whole. It also has what real systems have beside calls. */
export interface System {
  readonly spans: readonly Span[];
  readonly calls: readonly MadeCall[];
}

/** The work of a service during a request: calls to other services, which do work of their own. */
interface Work {
  readonly isConcurrent: boolean;
  readonly calls: readonly PlannedCall[];
}

interface PlannedCall {
  /** The number of the called service. */
  readonly to: number;
  readonly failedTries: readonly ('refused' | 'unavailable')[];
  /** How many INTERNAL spans are above the CLIENT span. */
  readonly depth: number;
  readonly outlivesBy: number;
  readonly meanwhileExternal: boolean;
  readonly work: Work;
}

interface Noise {
  readonly kind: 'probe' | 'poll' | 'direct' | 'outside';
  readonly at: number;
  readonly service: number;
}

interface Plan {
  readonly prefix: string;
  readonly services: number;
  readonly isOldConvention: readonly boolean[];
  /** By how many microseconds the clock of each service is ahead; less than a millisecond. */
  readonly ahead: readonly number[];
  readonly requests: readonly { readonly at: number; readonly work: Work }[];
  readonly noise: readonly Noise[];
}

const work: (depth: number) => fc.Arbitrary<Work> = fc.memo((depth) =>
  fc.record({
    isConcurrent: fc.boolean(),
    calls: fc.array(
      fc.record({
        to: fc.nat(9),
        failedTries: fc.array(fc.constantFrom('refused', 'unavailable'), { maxLength: 2 }),
        depth: fc.nat(2),
        outlivesBy: fc.constantFrom(0, 0, 0, 5_000, 20_000),
        meanwhileExternal: fc.boolean(),
        work: depth <= 1 ? fc.constant({ isConcurrent: false, calls: [] }) : work(depth - 1),
      }),
      { maxLength: 3 },
    ),
  }),
);

/** Healthy systems whose services are named `${prefix}0`, `${prefix}1`, and so on. Every call has its own path. */
export function generateSystem(prefix: string): fc.Arbitrary<System> {
  return fc
    .record<Plan>({
      prefix: fc.constant(prefix),
      services: fc.integer({ min: 2, max: 5 }),
      isOldConvention: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      ahead: fc.array(fc.nat(999), { minLength: 5, maxLength: 5 }),
      requests: fc.array(fc.record({ at: fc.nat(60_000), work: work(3) }), { minLength: 1, maxLength: 5 }),
      noise: fc.array(
        fc.record({
          kind: fc.constantFrom('probe', 'poll', 'direct', 'outside'),
          at: fc.nat(80_000),
          service: fc.nat(4),
        }),
        { maxLength: 6 },
      ),
    })
    .map(buildSystem);
}

/** The spans with one call cut: the callee and everything below it get a trace of their own. */
export function cutCall(spans: readonly Span[], { server }: MadeCall): readonly Span[] {
  const below = new Set([server.spanId]);
  // Callers come before their callees in a generated system.
  for (const span of spans) {
    if (span.traceId === server.traceId && span.parentSpanId !== null && below.has(span.parentSpanId)) {
      below.add(span.spanId);
    }
  }
  return spans.map((span) =>
    span.traceId === server.traceId && below.has(span.spanId)
      ? {
          ...span,
          traceId: `c${span.traceId.slice(1)}`,
          parentSpanId: span.spanId === server.spanId ? null : span.parentSpanId,
        }
      : span,
  );
}

function buildSystem(plan: Plan): System {
  const spans: Span[] = [];
  const calls: MadeCall[] = [];
  let ids = 0;
  const nextId = (): string => {
    ids += 1;
    return `${Buffer.from(plan.prefix).toString('hex').padEnd(8, '0').slice(0, 8)}${String(ids).padStart(8, '0')}`;
  };

  interface Frame {
    readonly service: number;
    readonly traceId: string;
    readonly parentSpanId: string | null;
    readonly path: string;
  }

  const add = (
    frame: Omit<Frame, 'path'>,
    kind: SpanKind,
    name: string,
    times: readonly [number, number],
    attributes: Readonly<Record<string, AttributeValue>>,
  ): { readonly span: Span; readonly index: number } => {
    const service = frame.service % plan.services;
    const span: Span = {
      traceId: frame.traceId,
      spanId: nextId(),
      parentSpanId: frame.parentSpanId,
      traceState: '',
      flags: null,
      name,
      kind,
      startTimeUnixNano: toNanoseconds(times[0] + (plan.ahead[service] ?? 0)),
      endTimeUnixNano: toNanoseconds(times[1] + (plan.ahead[service] ?? 0)),
      attributes: new Map(Object.entries(attributes)),
      links: [],
      status: { code: 'UNSET', message: '' },
      serviceName: `${plan.prefix}${service}`,
      resource: new Map(),
      scopeName: '',
    };
    return { span, index: spans.push(span) - 1 };
  };
  const endAt = (index: number, end: number, service: number): Span => {
    const started = spans[index];
    if (started === undefined) throw new Error('a span ends that did not begin');
    const ended = {
      ...started,
      endTimeUnixNano: toNanoseconds(end + (plan.ahead[service % plan.services] ?? 0)),
    };
    spans[index] = ended;
    return ended;
  };

  const clientAttributes = (caller: number, url: string, status: number | null) => {
    const names = plan.isOldConvention[caller % plan.services]
      ? (['http.method', 'http.url', 'http.status_code'] as const)
      : (['http.request.method', 'url.full', 'http.response.status_code'] as const);
    return {
      [names[0]]: 'GET',
      [names[1]]: url,
      ...(status === null ? { 'error.type': 'ECONNREFUSED' } : { [names[2]]: status }),
    };
  };
  const serverAttributes = (service: number, path: string) =>
    plan.isOldConvention[service % plan.services]
      ? { 'http.method': 'GET', 'http.target': path, 'net.host.port': 8000 + (service % plan.services) }
      : { 'http.request.method': 'GET', 'url.path': path, 'server.port': 8000 + (service % plan.services) };

  /** Adds the SERVER span and everything below it. @returns When the request ends. */
  const serve = (
    frame: Frame,
    work: Work,
    start: number,
    outlivesBy: number,
  ): { readonly span: Span; readonly done: number } => {
    const { index, span } = add(
      frame,
      'SERVER',
      `GET ${frame.path}`,
      [start, start],
      serverAttributes(frame.service, frame.path),
    );
    let now = start + 1_000;
    let latest = now;
    for (const call of work.calls) {
      const done = makeCall({ ...frame, parentSpanId: span.spanId }, call, now);
      latest = Math.max(latest, done);
      now = work.isConcurrent ? now + 50 : done + 200;
    }
    const done = latest + 1_000;
    return { span: endAt(index, done + outlivesBy, frame.service), done };
  };

  const makeCall = (frame: Frame, call: PlannedCall, start: number): number => {
    const to = other(frame.service, call.to);
    const path = `/call/${nextId()}`;
    const url = `http://${plan.prefix}${to}:${8000 + to}${path}`;
    let caller: Omit<Frame, 'path'> = frame;
    const wrappers: number[] = [];
    for (let level = 0; level < call.depth; level += 1) {
      const { span, index } = add(caller, 'INTERNAL', 'handler', [start, start], {});
      wrappers.push(index);
      caller = { ...caller, parentSpanId: span.spanId };
    }
    let now = start + 100;
    for (const failed of call.failedTries) {
      const status = failed === 'refused' ? null : 503;
      add(caller, 'CLIENT', 'GET', [now, now + 800], clientAttributes(frame.service, url, status));
      now += 5_000;
    }
    if (call.meanwhileExternal) {
      const external = `https://api.example/${nextId()}`;
      add(caller, 'CLIENT', 'GET', [now, now + 30_000], clientAttributes(frame.service, external, 200));
    }
    const client = add(caller, 'CLIENT', 'GET', [now, now], clientAttributes(frame.service, url, 200));
    const { span: server, done } = serve(
      { service: to, traceId: frame.traceId, parentSpanId: client.span.spanId, path },
      call.work,
      now + 300,
      call.outlivesBy,
    );
    calls.push({ client: endAt(client.index, done + 300, frame.service), server });
    for (const index of wrappers) endAt(index, done + 400, frame.service);
    return done + 500;
  };

  const other = (service: number, step: number): number =>
    (service + 1 + (step % (plan.services - 1))) % plan.services;

  const nextTraceId = (): string => `a${nextId().padStart(31, '0')}`;
  const nothing: Work = { isConcurrent: false, calls: [] };
  for (const { at, work: requested } of plan.requests) {
    serve({ service: 0, traceId: nextTraceId(), parentSpanId: null, path: '/' }, requested, at, 0);
  }
  for (const { kind, at, service: wanted } of plan.noise) {
    const service = wanted % plan.services;
    const frame = { service, traceId: nextTraceId(), parentSpanId: null };
    if (kind === 'probe') serve({ ...frame, path: '/healthz' }, nothing, at, 0);
    if (kind === 'direct') serve({ ...frame, path: '/direct' }, nothing, at, 0);
    if (kind === 'outside')
      serve({ ...frame, parentSpanId: nextId(), path: '/from-outside' }, nothing, at, 0);
    if (kind === 'poll') {
      const external = `https://queue.example/${nextId()}`;
      add(frame, 'CLIENT', 'GET', [at, at + 20_000], clientAttributes(service, external, 200));
    }
  }
  return { spans, calls };
}

/** Converts microseconds. */
function toNanoseconds(time: number): bigint {
  return 1_700_000_000_000_000_000n + BigInt(time) * 1_000n;
}

const strangeText = fc.constantFrom(
  ...['', '__proto__', 'constructor', 'a', 'b', '\u001b[2J', '<script>', '::error::x', 'GET /x', '\ud800'],
);
const strangeTime = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 50n }).map((time) => time * 1_000_000n),
);
const strangeId = (length: number) =>
  fc.constantFrom(...['0', '1', '2', '3', 'f'].map((digit) => digit.repeat(length)));
const strangeAttributes: fc.Arbitrary<Attributes> = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        ...[
          'http.request.method',
          'http.method',
          'url.full',
          'http.url',
          'url.path',
          'http.target',
          'http.route',
        ],
        ...[
          'server.port',
          'server.address',
          'http.response.status_code',
          'rpc.system',
          'rpc.method',
          'db.system',
        ],
        ...[
          'messaging.system',
          'messaging.destination.name',
          'http.request.header.traceparent',
          '__proto__',
          '',
        ],
        ...['user_agent.original', 'rpc.grpc.status_code'],
      ),
      fc.oneof(
        strangeText,
        fc.constantFrom<AttributeValue>(
          '/x',
          'http://a:1/x',
          'http://[',
          -1,
          200,
          503,
          Number.NaN,
          1e308,
          true,
          [],
        ),
        fc.constantFrom<AttributeValue>('00-', ['00-', 'x'], '/{id}/*', 'GET'),
      ),
    ),
    { maxLength: 6 },
  )
  .map((entries) => new Map(entries));

/** Few different ids, so that duplicates, self-parents and cycles are frequent. */
export const hostileSpans: fc.Arbitrary<readonly Span[]> = fc.array(
  fc.record<Span>({
    traceId: fc.oneof(strangeId(32), strangeId(16), fc.constant('0'.repeat(16) + '1'.repeat(16))),
    spanId: strangeId(16),
    parentSpanId: fc.option(strangeId(16)),
    traceState: strangeText,
    flags: fc.option(fc.constantFrom(0, 0x100, 0x300, 0x301, -1)),
    name: strangeText,
    kind: fc.constantFrom('UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'),
    startTimeUnixNano: strangeTime,
    endTimeUnixNano: strangeTime,
    attributes: strangeAttributes,
    links: fc.array(fc.record({ traceId: strangeId(32), spanId: strangeId(16) }), { maxLength: 2 }),
    status: fc.record({ code: fc.constantFrom('UNSET', 'OK', 'ERROR'), message: strangeText }),
    serviceName: fc.option(strangeText),
    resource: strangeAttributes,
    scopeName: strangeText,
  }),
  { maxLength: 40 },
);
