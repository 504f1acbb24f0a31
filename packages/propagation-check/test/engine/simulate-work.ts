import type { Attributes, Span, SpanKind } from '../../src/span/span.ts';
import { createRandom } from './simulate-system.ts';

/** What goes wrong, at the calls that a service makes (`caller`) or receives (`callee`). */
export type WorkFault =
  | 'none'
  | 'split-caller'
  | 'split-callee'
  | 'detached-caller'
  | 'stale-caller'
  | 'client-lost-caller'
  | 'server-lost-callee'
  | 'rewritten-callee';

export interface SimulatedWork {
  readonly spans: readonly Span[];
  /** The edges with broken calls, and their number. */
  readonly broken: ReadonlyMap<string, number>;
}

interface Service {
  readonly name: string;
  readonly instances: number;
  readonly agent: string | null;
  readonly hasRoutes: boolean;
  readonly hasFlags: boolean;
  readonly routes: readonly Route[];
}

interface Route {
  readonly path: string;
  readonly hasId: boolean;
  readonly steps: readonly Step[];
  /** Share of the requests that a cache answers without any step. */
  readonly cached: number;
}

interface Step {
  readonly kind: 'call' | 'third' | 'query' | 'send';
  /** One of these is called. */
  readonly to: readonly number[];
  readonly route: number;
  readonly share: number;
  readonly isParallel: boolean;
  /** Begins before the answer of the request, and ends after it. */
  readonly isForgotten: boolean;
  readonly tries: number;
}

interface Place {
  readonly service: Service;
  readonly instance: number;
  readonly traceId: string;
  readonly parent: string | null;
}

const epoch = 1_700_000_000_000_000_000n;

/**
 * Services that work at the same time, as real ones do: requests overlap, call one of several services, in turn or in parallel, twice after
 * an error, in the background, or not at all where a cache answers; jobs and pollers call too; outside programs call any service; third
 * parties have the same paths. Times are milliseconds. The same seed gives the same spans.
 */
export function simulateWork(seed: number, fault: WorkFault = 'none'): SimulatedWork {
  const random = createRandom(seed);
  const chance = (share: number): boolean => random() < share;
  const upTo = (most: number): number => Math.floor(random() * most);
  const oneOf = <T>(items: readonly [T, ...T[]]): T => items[upTo(items.length)] ?? items[0];
  const takes = (about: number): number =>
    Math.round(about * (0.3 + random() * random() * 4) * 1_000) / 1_000;

  const count = 3 + upTo(5);
  const services = Array.from({ length: count }, (_, at) => planService(at));
  const faulty = upTo(count);
  const spans: Span[] = [];
  const broken = new Map<string, number>();
  let ids = 0;
  /** The first request of each service. */
  const firsts = new Map<number, { readonly traceId: string; readonly spanId: string }>();

  function planService(at: number): Service {
    return {
      name: `s${at}`,
      instances: 1 + upTo(chance(0.7) ? 1 : 3),
      agent: chance(0.5) ? oneOf(['node', 'undici', 'okhttp/4']) : null,
      hasRoutes: chance(0.8),
      hasFlags: chance(0.5),
      routes: Array.from({ length: 1 + upTo(3) }, (_, route) => ({
        path: oneOf(['/items', '/orders', `/r${route}`]),
        hasId: chance(0.6),
        steps: Array.from({ length: upTo(4) }, () => planStep(at)),
        cached: chance(0.25) ? random() * 0.8 : 0,
      })),
    };
  }

  function planStep(at: number): Step {
    const others = Array.from({ length: Math.max(0, count - at - 1) }, (_, next) => at + 1 + next);
    const to = others.filter(() => chance(0.5));
    const kind: Step['kind'] =
      to.length === 0 ? oneOf(['third', 'query']) : oneOf(['call', 'call', 'call', 'third', 'query', 'send']);
    return {
      kind,
      to: chance(0.6) ? to.slice(0, 1) : to,
      route: upTo(3),
      share: chance(0.8) ? 1 : 0.5,
      isParallel: chance(0.3),
      isForgotten: chance(0.1),
      tries: chance(0.1) ? 2 : 1,
    };
  }

  const nextId = (): string => (++ids).toString(16).padStart(16, '0');
  const nextTrace = (): string => nextId().padStart(32, 'f');

  function add(
    { service, instance, traceId, parent }: Place,
    kind: SpanKind,
    name: string,
    [from, to]: readonly [number, number],
    attributes: Readonly<Record<string, string | number>>,
    more: Partial<Span> = {},
  ): Span {
    const toTime = (at: number): bigint => epoch + BigInt(Math.round(at * 1_000)) * 1_000n;
    const isRemote = kind === 'SERVER' || kind === 'CONSUMER';
    const span: Span = {
      ...{ traceId, spanId: nextId(), parentSpanId: parent, traceState: '', name, kind },
      flags: service.hasFlags ? (isRemote && parent !== null ? 0x301 : 0x101) : null,
      startTimeUnixNano: toTime(from),
      endTimeUnixNano: toTime(Math.max(from + 0.01, to)),
      attributes: new Map(Object.entries(attributes)),
      links: [],
      status: { code: 'UNSET', message: '' },
      serviceName: service.name,
      resource: resourceOf(service, instance),
      scopeName: kind === 'SERVER' ? 'http-server' : 'http-client',
      ...more,
    };
    spans.push(span);
    return span;
  }

  /** Serves a request. @returns the time of its answer. */
  function serve(
    to: number,
    at: number,
    { traceId, parent }: Pick<Place, 'traceId' | 'parent'>,
    {
      route: wanted,
      path,
      agent,
      isLost,
    }: { route: number; path: string; agent: string | null; isLost: boolean },
  ): number {
    const service = services[to];
    const route = service?.routes[wanted % service.routes.length];
    if (service === undefined || route === undefined) return at;
    const instance = upTo(service.instances);
    const spanId = nextId();
    if (!firsts.has(to)) firsts.set(to, { traceId, spanId });
    const work = at + takes(3);
    const isCached = chance(route.cached);
    let now = work;
    let end = work;
    for (const step of isCached ? [] : route.steps) {
      if (!chance(step.share)) continue;
      const done = take(step, to, now, { service, instance, traceId, parent: spanId });
      end = Math.max(end, step.isForgotten ? now + 1 : done);
      if (!step.isParallel) now = step.isForgotten ? now + 1 : done;
    }
    end += takes(2);
    if (!isLost)
      add(
        { service, instance, traceId, parent },
        'SERVER',
        service.hasRoutes ? `GET ${route.path}` : 'GET',
        [at, end],
        {
          'http.request.method': 'GET',
          'url.path': path,
          ...(service.hasRoutes ? { 'http.route': route.path } : {}),
          ...(agent === null ? {} : { 'user_agent.original': agent }),
          'http.response.status_code': 200,
        },
        { spanId },
      );
    return end;
  }

  function take(step: Step, from: number, at: number, place: Place): number {
    const to = step.to[upTo(step.to.length)];
    if (step.kind === 'query') {
      const end = at + takes(4);
      add(place, 'CLIENT', 'SELECT', [at, end], { 'db.system.name': 'postgresql', 'server.address': 'db' });
      return end;
    }
    if (step.kind === 'third' || to === undefined) {
      const end = at + takes(20);
      const url = `http://${oneOf(['legacy:80', 'api.example:443'])}${oneOf(['/items', '/orders'])}/${upTo(50)}`;
      add(place, 'CLIENT', 'GET', [at, end], clientFacts(place.service, url, 200));
      return end;
    }
    if (step.kind === 'send') return send(from, to, at, place);
    const failed = step.tries > 1 && chance(0.3);
    const again = failed ? call(from, to, step.route, at, place, 503) : at;
    const done = call(from, to, step.route, again, place, 200);
    return step.isForgotten ? done + takes(10) : done;
  }

  function call(from: number, to: number, wanted: number, at: number, place: Place, status: number): number {
    const callee = services[to];
    const route = callee?.routes[wanted % callee.routes.length];
    if (callee === undefined || route === undefined) return at;
    const path = route.hasId ? `${route.path}/${upTo(5_000)}` : route.path;
    const isHit = fault.endsWith('caller') ? from === faulty : fault.endsWith('callee') && to === faulty;
    const stale = isHit && fault === 'stale-caller' ? firsts.get(from) : undefined;
    const isDetached = isHit && fault === 'detached-caller';
    const traceId = isDetached ? nextTrace() : (stale?.traceId ?? place.traceId);
    const parent = isDetached ? null : (stale?.spanId ?? place.parent);
    const spanId = nextId();
    const isSplit = isHit && fault.startsWith('split');
    const isRewritten = isHit && fault.startsWith('rewritten');
    if (isHit && status === 200) {
      const edge = `${place.service.name} -> ${callee.name}`;
      broken.set(edge, (broken.get(edge) ?? 0) + 1);
    }
    const below = isSplit
      ? { traceId: nextTrace(), parent: null }
      : { traceId, parent: isRewritten ? nextId() : spanId };
    const request = { route: wanted, path, agent: place.service.agent };
    const isLost = isHit && fault.startsWith('server-lost');
    const end =
      status === 200 ? serve(to, at + takes(0.5), below, { ...request, isLost }) + takes(0.5) : at + takes(5);
    if (!(isHit && fault.startsWith('client-lost')))
      add(
        { ...place, traceId, parent },
        'CLIENT',
        'GET',
        [at, end],
        clientFacts(place.service, `http://${callee.name}:80${path}`, status),
        { spanId },
      );
    return end;
  }

  function send(from: number, to: number, at: number, place: Place): number {
    const receiver = services[to];
    if (receiver === undefined) return at;
    const queue = { 'messaging.system': 'rabbitmq', 'messaging.destination.name': `q${to}` };
    const { spanId } = add(place, 'PRODUCER', `send q${to}`, [at, at + takes(1)], queue);
    // A consumer outside of the data receives some of the messages.
    if (from % 2 === 0 && to % 3 === 0 && chance(0.2)) return at + 1;
    const received = at + 2 + takes(8);
    const instance = upTo(receiver.instances);
    const below = { service: receiver, instance, traceId: place.traceId, parent: spanId };
    add(below, 'CONSUMER', `process q${to}`, [received, received + takes(8)], queue);
    return at + 1;
  }

  const apart = oneOf([2, 10, 40, 200, 1_000]);
  const requests = 40 + upTo(160);
  const all = Array.from({ length: requests }, () => random() * requests * apart).sort(
    (left, right) => left - right,
  );
  for (const at of all) {
    const to = chance(0.8) ? 0 : upTo(count);
    const route = services[to]?.routes[upTo(3)] ?? services[to]?.routes[0];
    const path = route?.hasId ? `${route.path}/${upTo(5_000)}` : (route?.path ?? '/');
    const outside = { traceId: nextTrace(), parent: null };
    const wanted = Math.max(
      0,
      services[to]?.routes.indexOf(route ?? { path, hasId: false, steps: [], cached: 0 }) ?? 0,
    );
    serve(to, at, outside, { route: wanted, path, agent: oneOf([null, 'curl/8', 'node']), isLost: false });
  }
  for (const [at, service] of services.entries()) {
    if (!chance(0.4) || at === count - 1) continue;
    // A job of this service calls others, at intervals or at any time.
    const period = oneOf([apart, apart * 3, 50, 500]);
    const targets = [at + 1 + upTo(count - at - 1), at + 1 + upTo(count - at - 1)] as const;
    const isSteady = chance(0.5);
    const span = requests * apart;
    for (let turn = 1; turn < Math.min(200, span / period); turn += 1) {
      const begins = isSteady ? turn * period : random() * span;
      const place = { service, instance: 0, traceId: nextTrace(), parent: null };
      call(-1, oneOf(targets), 0, begins, place, 200);
    }
  }
  return { spans, broken };
}

function clientFacts(
  { agent }: Service,
  url: string,
  status: number,
): Readonly<Record<string, string | number>> {
  const { hostname, port } = new URL(url);
  return {
    'http.request.method': 'GET',
    'url.full': url,
    'server.address': hostname,
    ...(port === '' ? {} : { 'server.port': Number(port) }),
    ...(agent === null ? {} : { 'user_agent.original': agent }),
    'http.response.status_code': status,
  };
}

function resourceOf({ name, instances }: Service, instance: number): Attributes {
  return new Map([
    ['service.name', name],
    ...(instances > 1 ? [['service.instance.id', `${name}-${instance}`] as const] : []),
  ]);
}
