import { type Expectation, type ExpectedEdge, noExpectation } from '../../src/expect/expectation.ts';
import type { WireRecord } from '../../src/headers/evidence.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import type { HeaderEvidence } from '../../src/headers/wire.ts';
import type { AttributeValue, Span, SpanKind } from '../../src/span/span.ts';

/** The spans of a simulated system, and what is expected of them. */
export interface Simulated {
  readonly spans: readonly Span[];
  readonly expectation: Expectation;
  readonly headers: HeaderEvidence;
}

export interface SystemSize {
  readonly services: number;
  readonly requests: number;
  /** The share of edges that have a fault; null for a random share. */
  readonly broken: number | null;
}

/** What happens to a call; `whole` is healthy. */
const faults = [
  ...['whole', 'split', 'split-sometimes', 'client-lost', 'server-lost', 'silent', 'no-client', 'rewritten'],
  ...['stale', 'detached', 'wrong-parent', 'cut-id', 'shared-id', 'late', 'unnamed', 'other-agent'],
] as const;
type Fault = (typeof faults)[number];

interface Service {
  readonly name: string | null;
  readonly isOld: boolean;
  readonly isGateway: boolean;
  readonly hasKinds: boolean;
  readonly hasFlags: boolean;
  readonly isRounded: boolean;
  readonly scope: string;
  readonly agent: string | null;
  readonly instances: readonly { readonly id: string | null; readonly ahead: number }[];
  readonly routes: readonly Route[];
}

interface Route {
  readonly name: string;
  readonly calls: readonly PlannedCall[];
}

interface PlannedCall {
  readonly to: number;
  readonly route: number;
  readonly protocol: 'http' | 'rpc' | 'messaging';
  readonly fault: Fault;
  readonly rate: number;
  readonly isTapped: boolean;
  readonly depth: number;
  readonly isConcurrent: boolean;
  readonly aside: 'none' | 'database' | 'outside' | 'layer' | 'retry';
}

const epoch = 1_700_000_000_000_000_000n;
const maxDepth = 5;

/** Random, but the same for the same seed. Times are microseconds. */
export function simulateSystem(seed: number, size: Partial<SystemSize> = {}): Simulated {
  const random = createRandom(seed);
  const chance = (share: number): boolean => random() < share;
  const upTo = (most: number): number => Math.floor(random() * most);
  const oneOf = <T>(items: readonly T[]): T => {
    const item = items[upTo(items.length)];
    if (item === undefined) throw new RangeError('nothing to choose from');
    return item;
  };
  const count = size.services ?? 2 + upTo(6);
  const requests = size.requests ?? 1 + upTo(chance(0.2) ? 120 : 25);
  const brokenShare = size.broken ?? (chance(0.3) ? 0 : random() * 0.6);
  const services = Array.from({ length: count }, (_, index) => planService(index));
  const spans: Span[] = [];
  const wire: WireRecord[] = [];
  const edges = new Map<string, ExpectedEdge>();
  let ids = 0;
  const lastClients = new Map<string, Span>();

  function planService(index: number): Service {
    const isSkewed = chance(0.1);
    return {
      name: chance(0.02) ? null : chance(0.02) ? 'unknown_service:node' : `s${index}`,
      isOld: chance(0.3),
      isGateway: chance(0.1),
      hasKinds: !chance(0.05),
      hasFlags: chance(0.5),
      isRounded: chance(0.2),
      scope: oneOf(['http', 'undici', 'grpc', '']),
      agent: chance(0.6) ? oneOf(['node', 'undici/6', 'okhttp', 'python-requests']) : null,
      instances: Array.from({ length: chance(0.7) ? 1 : 2 + upTo(2) }, (_, at) => ({
        id: chance(0.7) ? `s${index}-${at}` : null,
        ahead: isSkewed ? (upTo(2) * 2 - 1) * upTo(5_000_000) : upTo(300),
      })),
      routes: Array.from({ length: 1 + upTo(3) }, (_, at) => ({
        name: oneOf([`/r${at}`, `/items/{id}/r${at}`, `/r${at}`]),
        calls: Array.from({ length: upTo(3) }, () => planCall(index)),
      })),
    };
  }

  function planCall(from: number): PlannedCall {
    return {
      to: (from + 1 + upTo(Math.max(1, count - 1))) % count,
      route: upTo(3),
      protocol: oneOf(['http', 'http', 'http', 'rpc', 'messaging']),
      fault: chance(brokenShare) ? oneOf(faults) : 'whole',
      rate: chance(0.5) ? 1 : random(),
      isTapped: chance(0.15),
      depth: upTo(3),
      isConcurrent: chance(0.3),
      aside: oneOf(['none', 'none', 'none', 'database', 'outside', 'layer', 'retry']),
    };
  }

  const nextId = (): string => {
    ids += 1;
    return toHex(Math.imul(ids, 0x9e37_79b1) >>> 0) + toHex(ids);
  };
  const nextTrace = (): string => `${nextId()}${nextId()}`;

  interface Place {
    readonly service: Service;
    readonly instance: number;
    readonly traceId: string;
    readonly parent: string | null;
  }

  const add = (
    place: Place,
    kind: SpanKind,
    name: string,
    [start, end]: readonly [number, number],
    attributes: Readonly<Record<string, AttributeValue | null>>,
    more: Partial<Span> = {},
  ): Span => {
    const { service } = place;
    const instance = service.instances[place.instance % service.instances.length];
    const toTime = (time: number): bigint => {
      const moved = Math.round(time + (instance?.ahead ?? 0));
      return epoch + BigInt(service.isRounded ? Math.floor(moved / 1_000) * 1_000 : moved) * 1_000n;
    };
    const entries = Object.entries(attributes).flatMap(([key, value]) =>
      value === null ? [] : [[key, value] as const],
    );
    const span: Span = {
      traceId: place.traceId,
      spanId: nextId(),
      parentSpanId: place.parent,
      traceState: '',
      flags: service.hasFlags ? (kind === 'SERVER' && place.parent !== null ? 0x301 : 0x101) : null,
      name,
      kind: service.hasKinds ? kind : 'INTERNAL',
      startTimeUnixNano: toTime(start),
      endTimeUnixNano: toTime(end),
      attributes: new Map(entries),
      links: [],
      status: { code: 'UNSET', message: '' },
      serviceName: service.name,
      resource: new Map([
        ...(service.name === null ? [] : [['service.name', service.name] as const]),
        ...(instance?.id == null ? [] : [['service.instance.id', instance.id] as const]),
      ]),
      scopeName: service.scope,
      ...more,
    };
    spans.push(span);
    return span;
  };

  const clientFacts = (
    service: Service,
    call: PlannedCall,
    to: number,
    path: string,
    status: number | null,
  ) => {
    if (call.protocol === 'rpc')
      return {
        'rpc.system': 'grpc',
        'rpc.method': `pkg.S${to}/R${call.route}`,
        'rpc.grpc.status_code': status === 200 ? 0 : 14,
      };
    if (call.protocol === 'messaging')
      return { 'messaging.system': 'kafka', 'messaging.destination.name': `q${to}` };
    return service.isOld
      ? { 'http.method': 'GET', 'http.url': `http://s${to}:${8000 + to}${path}`, 'http.status_code': status }
      : {
          'http.request.method': 'GET',
          'url.full': `http://s${to}:${8000 + to}${path}`,
          'server.address': `s${to}`,
          'server.port': 8000 + to,
          'http.response.status_code': status,
        };
  };
  const serverFacts = (
    service: Service,
    to: number,
    path: string,
    route: string,
    protocol: PlannedCall['protocol'],
    call: number,
    agent: string | null,
  ) => {
    if (protocol === 'rpc') return { 'rpc.system': 'grpc', 'rpc.method': `pkg.S${to}/R${call}` };
    if (protocol === 'messaging')
      return { 'messaging.system': 'kafka', 'messaging.destination.name': `q${to}` };
    return service.isOld
      ? {
          'http.method': 'GET',
          'http.target': path,
          'net.host.port': 8000 + to,
          'http.status_code': 200,
          'http.user_agent': agent,
        }
      : {
          'http.request.method': 'GET',
          'url.path': path,
          'http.route': route,
          'server.port': 8000 + to,
          'user_agent.original': agent,
          'http.response.status_code': 200,
        };
  };

  /** Serves a request: adds its entry span and all its work. @returns When the request ends. */
  const serve = (
    index: number,
    traceId: string,
    parent: string | null,
    start: number,
    request: {
      route: number;
      protocol: PlannedCall['protocol'];
      agent: string | null;
      more?: Partial<Span>;
      silent?: boolean;
      depth: number;
    },
  ): { readonly done: number; readonly server: Span | null } => {
    const service = services[index];
    if (service === undefined) return { done: start, server: null };
    const route = service.routes[request.route % service.routes.length] ?? { name: '/', calls: [] };
    const path = route.name.replace('{id}', String(upTo(5)));
    const instance = upTo(service.instances.length);
    const spanId = nextId();
    let now = start + 100 + upTo(2_000);
    let latest = now;
    const inner: Place = { service, instance, traceId, parent: request.silent === true ? parent : spanId };
    if (request.depth < maxDepth) {
      for (const call of route.calls) {
        const done = makeCall(index, { ...inner }, call, now, request.depth);
        latest = Math.max(latest, done);
        now = call.isConcurrent ? now + 20 : done + 50;
      }
    }
    const done = latest + 100 + upTo(3_000);
    if (request.silent === true) return { done, server: null };
    const isQueue = request.protocol === 'messaging';
    const name = isQueue ? `process q${index}` : service.isOld ? 'GET' : `GET ${route.name}`;
    const server = add(
      { service, instance, traceId, parent },
      isQueue ? 'CONSUMER' : 'SERVER',
      request.protocol === 'rpc' ? `pkg.S${index}/R${request.route}` : name,
      [start, done],
      serverFacts(service, index, path, route.name, request.protocol, request.route, request.agent),
      { spanId, ...request.more },
    );
    return { done, server };
  };

  function makeCall(from: number, place: Place, call: PlannedCall, start: number, depth: number): number {
    const { service } = place;
    const target = services[call.to];
    if (target === undefined || call.to === from) return start;
    const fault: Fault = chance(call.rate) ? call.fault : 'whole';
    if (service.name !== null && target.name !== null) {
      edges.set(`${service.name} ${target.name}`, {
        client: service.name,
        server: target.name,
        rule: 'must',
      });
    }
    let parent = place.parent;
    for (let level = 0; level < call.depth; level += 1) {
      parent = add({ ...place, parent }, 'INTERNAL', 'step', [start, start + 30_000], {}).spanId;
    }
    let now = start + 20;
    if (call.aside === 'database')
      add({ ...place, parent }, 'CLIENT', 'SELECT', [now, now + 900], { 'db.system': 'postgresql' });
    if (call.aside === 'outside')
      add({ ...place, parent }, 'CLIENT', 'GET', [now, now + 9_000], {
        'http.request.method': 'GET',
        'url.full': `https://api.example/${upTo(3)}`,
        'http.response.status_code': 200,
      });
    const route = target.routes[call.route % target.routes.length]?.name ?? '/';
    const path = route.replace('{id}', String(upTo(5)));
    if (call.aside === 'retry') {
      add(
        { ...place, parent },
        'CLIENT',
        'GET',
        [now, now + 300],
        clientFacts(service, call, call.to, path, 503),
      );
      now += 400;
    }
    if (call.aside === 'layer')
      parent = add(
        { ...place, parent },
        'CLIENT',
        'GET',
        [now, now + 40_000],
        clientFacts(service, call, call.to, path, 200),
      ).spanId;
    const clientId = nextId();
    const isQueue = call.protocol === 'messaging';
    const isDetached = fault === 'detached';
    const traceId = isDetached ? nextTrace() : place.traceId;
    const callerParent = isDetached
      ? null
      : fault === 'stale'
        ? (lastClients.get(`stale ${from}`)?.spanId ?? parent)
        : parent;
    const arrival = now + (isQueue ? 5_000 + upTo(50_000) : fault === 'late' ? 60_000 : 200 + upTo(400));
    const isLink = isQueue && chance(0.5);
    const [serverTrace, serverParent] = ((): readonly [string, string | null] => {
      if (fault === 'split' || fault === 'split-sometimes' || (fault === 'no-client' && chance(0.5)))
        return [nextTrace(), null];
      if (fault === 'no-client' || service.isGateway || !service.hasKinds) return [traceId, parent];
      if (fault === 'rewritten') return [chance(0.5) ? traceId : nextTrace(), nextId()];
      if (fault === 'wrong-parent') return [traceId, parent];
      if (fault === 'cut-id') return [traceId.slice(-16), clientId];
      return [isLink ? nextTrace() : traceId, isLink ? null : clientId];
    })();
    const isSilent = fault === 'server-lost' || fault === 'silent';
    const { done, server } =
      fault === 'silent'
        ? { done: arrival + 3_000, server: null }
        : serve(call.to, serverTrace, isSilent ? nextId() : serverParent, arrival, {
            route: call.route,
            protocol: call.protocol,
            agent: fault === 'other-agent' ? 'curl' : service.agent,
            silent: isSilent,
            depth: depth + 1,
            more: {
              ...(isLink && fault === 'whole' ? { links: [{ traceId, spanId: clientId }] } : {}),
              ...(fault === 'shared-id' ? { spanId: clientId, parentSpanId: parent } : {}),
            },
          });
    const end = isQueue ? now + 300 : fault === 'late' ? now + 5_000 : done + 100;
    const hasNoClient = fault === 'no-client' || fault === 'client-lost' || (service.isGateway && !isQueue);
    if (!hasNoClient && service.hasKinds) {
      const client = add(
        { ...place, traceId, parent: callerParent },
        isQueue ? 'PRODUCER' : 'CLIENT',
        isQueue ? `send q${call.to}` : 'GET',
        [now, end],
        clientFacts(service, call, call.to, path, 200),
        { spanId: clientId },
      );
      if (!lastClients.has(`stale ${from}`) || chance(0.1)) lastClients.set(`stale ${from}`, client);
    }
    if (call.isTapped && !isQueue)
      tap(call, service, path, [now + 50, end - 50], traceId, clientId, fault, server);
    return isQueue ? now + 400 : end + 50;
  }

  function tap(
    call: PlannedCall,
    service: Service,
    path: string,
    [start, end]: readonly [number, number],
    traceId: string,
    spanId: string,
    fault: Fault,
    server: Span | null,
  ): void {
    const header = [{ name: 'traceparent', value: `00-${traceId}-${spanId}-01` }];
    wire.push({
      time: new Date(Number(epoch / 1_000_000n) + Math.floor(start / 1_000)).toISOString(),
      durationMs: Math.max(0, end - start) / 1_000,
      tap: `tap-${call.to}`,
      target: `http://s${call.to}:${8000 + call.to}`,
      client: chance(0.5) ? service.name : null,
      server: chance(0.5) ? (services[call.to]?.name ?? null) : null,
      host: null,
      calledAt: null,
      callsFrom: null,
      protocolVersion: '1.1',
      method: 'GET',
      path,
      sent: readWireContext(fault === 'no-client' || chance(0.1) ? [] : header),
      received: readWireContext(fault.startsWith('split') ? [] : header),
      faults: [],
      status: 200,
      answered:
        server !== null && chance(0.2)
          ? { headers: [], span: { traceId: server.traceId, spanId: server.spanId, sampled: true } }
          : null,
      clientAborted: false,
      targetError: null,
    });
  }

  const spacing = oneOf([1_000, 20_000, 200_000]);
  for (let request = 0; request < requests; request += 1) {
    const at = request * spacing + upTo(spacing);
    const noise = random();
    const index = noise < 0.8 ? 0 : upTo(count);
    const parent = noise > 0.97 ? nextId() : null;
    serve(index, nextTrace(), parent, at, {
      route: upTo(3),
      protocol: 'http',
      agent: oneOf(['curl', 'kube-probe/1.30', null]),
      depth: 0,
    });
    if (noise > 0.9) {
      const service = services[upTo(count)];
      if (service !== undefined)
        add({ service, instance: 0, traceId: nextTrace(), parent: null }, 'CLIENT', 'GET', [at, at + 5_000], {
          'http.request.method': 'GET',
          'url.full': 'https://queue.example/poll',
          'http.response.status_code': 200,
        });
    }
  }
  return {
    spans: capture(spans),
    expectation: expect(),
    headers: { wire: chance(0.5) ? wire : [], received: [] },
  };

  /** The spans that arrive: possibly cut at both ends, some lost, some twice, in another order. */
  function capture(all: readonly Span[]): readonly Span[] {
    const ends = all.map((span) => span.endTimeUnixNano).sort((left, right) => (left < right ? -1 : 1));
    const [from, to] = chance(0.3)
      ? [ends[Math.floor(ends.length * 0.2)], ends[Math.floor(ends.length * 0.8)]]
      : [];
    const lossRate = chance(0.2) ? 0.03 : 0;
    const arrived = all.filter(
      (span) =>
        (from === undefined || span.endTimeUnixNano >= from) &&
        (to === undefined || span.endTimeUnixNano <= to) &&
        !chance(lossRate),
    );
    const again = chance(0.2) ? arrived.filter(() => chance(0.1)).map((span) => ({ ...span })) : [];
    return [...arrived, ...again]
      .map((span) => ({ span, order: random() }))
      .sort((left, right) => left.order - right.order)
      .map(({ span }) => span);
  }

  function expect(): Expectation {
    const known = [...edges.values()];
    if (chance(0.4) || known.length === 0) return noExpectation;
    const kept = known.filter(() => chance(0.8));
    const wrong = chance(0.2)
      ? [
          {
            client: `s${upTo(count)}`,
            server: `s${upTo(count)}`,
            rule: oneOf(['must', 'may', 'must-not'] as const),
          },
        ]
      : [];
    return {
      edges: [...kept, ...wrong.filter((edge) => !edges.has(`${edge.client} ${edge.server}`))],
      baggage: chance(0.05) ? { tenant: 'a' } : {},
      toleratedPeers: chance(0.2) ? ['api.example'] : [],
      traceresponse: chance(0.2) ? [`s${upTo(count)}`] : [],
    };
  }
}

function toHex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

/** The generator Mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
