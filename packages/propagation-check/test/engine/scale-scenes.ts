import type { Span, SpanKind } from '../../src/span/span.ts';

export type SceneName = keyof typeof scenes;

/** Spans in numbers at which quadratic or recursive code fails. */
export const scenes = {
  /** 100,000 children under one span. */
  children: () => {
    const parent = span({ id: 1, service: 'web', kind: 'SERVER', name: 'GET /call', times: [0, 1_000_000] });
    const children = Array.from({ length: 100_000 }, (_, index) =>
      span({
        ...{
          id: index + 2,
          parent: 1,
          service: 'web',
          kind: 'CLIENT',
          name: 'GET',
          times: [1 + index, 2 + index],
        },
        attributes: clientAttributes(`/work/${index}`),
      }),
    );
    return [parent, ...children];
  },
  /** 100,000 SERVER spans under one CLIENT span. */
  answers: () => {
    const client = span({
      ...{ id: 1, service: 'web', kind: 'CLIENT', name: 'GET', times: [0, 1_000_000] },
      attributes: clientAttributes('/work'),
    });
    const servers = Array.from({ length: 100_000 }, (_, index) =>
      span({
        ...{ id: index + 2, parent: 1, service: 'orders', kind: 'SERVER', name: 'GET /work', times: [1, 2] },
        attributes: serverAttributes('/work'),
      }),
    );
    return [client, ...servers];
  },
  /** 100,000 traces, one call in ten cut. */
  cutCalls: () => {
    const spans = Array.from({ length: 100_000 }, (_, index) => drawCall(index, index % 10 === 0)).flat();
    return spans;
  },
  /** 100,000 traces, one answer in ten without a SERVER span. */
  silentCalls: () => {
    const spans = Array.from({ length: 100_000 }, (_, index) =>
      drawCall(index, false).slice(0, index % 10 === 5 ? 2 : 3),
    ).flat();
    return spans;
  },
  /** 40,000 whole calls and 40,000 without a SERVER span, each to a path of its own. */
  silentPaths: () =>
    Array.from({ length: 80_000 }, (_, index) =>
      drawApart(index, `/page-${index}`, `/page-${index}`, 1).slice(0, index % 2 === 0 ? 2 : 1),
    ).flat(),
  /** 40,000 calls, and as many requests with other paths. */
  strangers: () =>
    Array.from({ length: 40_000 }, (_, index) =>
      drawApart(index, `/from-${index}`, `/to-${index}`, null),
    ).flat(),
  /** 50,000 open clients and 50,000 roots at the same time and path. */
  crowd: () => {
    const clients = Array.from({ length: 50_000 }, (_, index) =>
      span({
        ...{
          trace: index + 1,
          id: 1,
          service: 'web',
          kind: 'CLIENT',
          name: 'GET',
          times: [index, 1_000_000],
        },
        attributes: clientAttributes('/work'),
      }),
    );
    const roots = Array.from({ length: 50_000 }, (_, index) =>
      span({
        ...{ trace: 100_000 + index, id: 2, service: 'orders', kind: 'SERVER', name: 'GET /work' },
        times: [50_000 + index, 900_000],
        attributes: serverAttributes('/work'),
      }),
    );
    return [...clients, ...roots];
  },
  /** 100,000 split calls, one after the other, while one call stays open all the time. */
  oneLongCall: () => [
    span({
      ...{ trace: 500_000, id: 1, service: 'web', kind: 'CLIENT', name: 'GET', times: [0, 100_000_000] },
      attributes: clientAttributes('/stream'),
    }),
    ...Array.from({ length: 100_000 }, (_, index) => drawCutCall(index, index * 1_000)).flat(),
  ],
  /** 2,000 split calls at the same time, each to a path of its own. */
  burst: () =>
    Array.from({ length: 2_000 }, (_, index) => [
      span({
        ...{ trace: index + 1, id: 2, service: 'web', kind: 'CLIENT', name: 'GET', times: [index, 100_000] },
        attributes: clientAttributes(`/work/${index}`),
      }),
      span({
        ...{ trace: 1_000_000 + index, id: 3, service: 'orders', kind: 'SERVER', name: 'GET /work' },
        times: [20_000 + index, 90_000],
        attributes: serverAttributes(`/work/${index}`),
      }),
    ]).flat(),
  /** A chain of 100,000 spans, each the child of the one before. */
  chainOfCalls: () => {
    const services = ['web', 'orders'] as const;
    const chain = Array.from({ length: 100_000 }, (_, index) => {
      const isServer = index % 2 === 0;
      const hop = Math.floor(index / 2);
      return span({
        ...{ id: index + 1, parent: index === 0 ? null : index, service: services[hop % 2] ?? '' },
        ...{ kind: isServer ? 'SERVER' : 'CLIENT', name: 'GET /work', times: [index, 1_000_000 - index] },
        attributes: isServer ? serverAttributes('/work') : clientAttributes('/work'),
      });
    });
    return chain;
  },
  /** A chain of 100,000 INTERNAL spans of one service, above as many CLIENT spans. */
  chainInside: () => {
    const chain = Array.from({ length: 100_000 }, (_, index) =>
      span({
        ...{
          id: index + 1,
          parent: index === 0 ? null : index,
          service: 'web',
          kind: 'INTERNAL',
          name: 'step',
        },
        times: [index, 1_000_000],
      }),
    );
    const calls = Array.from({ length: 1_000 }, (_, index) => [
      span({
        ...{ id: 200_001 + index, parent: 100_000, service: 'web', kind: 'CLIENT', name: 'GET' },
        times: [200_000 + index, 900_000],
        attributes: clientAttributes('/work'),
      }),
      span({
        ...{
          id: 400_001 + index,
          parent: 200_001 + index,
          service: 'orders',
          kind: 'SERVER',
          name: 'GET /work',
        },
        times: [200_001 + index, 800_000],
        attributes: serverAttributes('/work'),
      }),
    ]).flat();
    return [...chain, ...calls];
  },
  /** 50,000 traces whose ids share the last 64 bits, and as many spans without a parent in a trace whose id is cut to these. */
  cutIds: () =>
    Array.from({ length: 50_000 }, (_, index) => {
      const at = index * 10_000;
      const one = { service: 'web', kind: 'SERVER', name: 'GET /call', times: [at, at + 1] } as const;
      const end = 'e'.repeat(16);
      return [
        { ...span({ ...one, id: 1 }), traceId: `a${String(index).padStart(15, '0')}${end}` },
        { ...span({ ...one, id: index + 2, parent: 100_000 + index }), traceId: end },
      ];
    }).flat(),
  /** 20,000 requests, each of a route of its own, and during each a call that begins a trace, to an endpoint of its own. */
  routes: () =>
    Array.from({ length: 20_000 }, (_, index) =>
      drawDetached({ index, gap: 1_000_000, path: `/r${index}x`, services: ['web', 'orders'] }),
    ).flat(),
  /**
   * 10,000 endpoints, each with a whole call and with two that begin traces: a warning each, because the requests are so close that clocks do
   * not tell them apart.
   */
  endpoints: () =>
    Array.from({ length: 30_000 }, (_, index) =>
      drawDetached({
        ...{ index, gap: 300, path: `/r${Math.floor(index / 3)}x`, services: ['shop', 'stock'] },
        route: index % 3 === 0 ? '/whole' : null,
      }),
    ).flat(),
  /** 5,000 services whose requests begin traces, at the same times. */
  inStep: () =>
    Array.from({ length: 30_000 }, (_, index) => {
      const [service, turn] = [index % 5_000, Math.floor(index / 5_000)];
      const at = turn * turn * 10_000_000;
      return span({
        ...{ trace: index + 1, id: 1, service: `s${service}`, kind: 'SERVER', name: 'GET /job' },
        times: [at + (service % 7), at + 100_000],
        attributes: serverAttributes('/job'),
      });
    }),
} as const satisfies Readonly<Record<string, () => readonly Span[]>>;

interface Drawn {
  readonly trace?: number;
  readonly id: number;
  readonly parent?: number | null;
  readonly service: string;
  readonly kind: SpanKind;
  readonly name: string;
  /** In microseconds. */
  readonly times: readonly [number, number];
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** A CLIENT span and, as a root, the SERVER span of the same request. */
function drawCutCall(index: number, at: number): readonly Span[] {
  return [
    span({
      ...{ trace: index + 1, id: 2, service: 'web', kind: 'CLIENT', name: 'GET', times: [at, at + 900] },
      attributes: clientAttributes('/work'),
    }),
    span({
      ...{ trace: 1_000_000 + index, id: 3, service: 'orders', kind: 'SERVER', name: 'GET /work' },
      times: [at + 100, at + 800],
      attributes: serverAttributes('/work'),
    }),
  ];
}

/** A CLIENT span of web, and a SERVER span of orders below `parent` or as a root. */
function drawApart(index: number, called: string, served: string, parent: number | null): readonly Span[] {
  const [trace, at] = [index + 1, index * 1_000_000];
  return [
    span({
      ...{ trace, id: 1, service: 'web', kind: 'CLIENT', name: 'GET', times: [at, at + 100_000] },
      attributes: clientAttributes(called),
    }),
    span({
      ...{ trace: parent === null ? 1_000_000 + index : trace, id: 2, parent, service: 'orders' },
      ...{ kind: 'SERVER', name: 'GET', times: [at + 20_000, at + 80_000] },
      attributes: serverAttributes(served),
    }),
  ];
}

/** A request and a call during it, which belongs to the request if this has a route of its own, and begins a trace otherwise. */
function drawDetached({
  index,
  gap,
  path,
  services: [service, called],
  route = null,
}: {
  readonly index: number;
  /** Between the starts of two requests, in microseconds. */
  readonly gap: number;
  readonly path: string;
  readonly services: readonly [string, string];
  readonly route?: string | null;
}): readonly Span[] {
  const at = index * gap;
  const trace = route === null ? 1_000_000 + index : index + 1;
  return [
    span({
      ...{ trace: index + 1, id: 1, service, kind: 'SERVER', name: `GET ${route ?? path}` },
      times: [at, at + 100_000],
      attributes: serverAttributes(route ?? path),
    }),
    span({
      ...{ trace, id: 2, parent: route === null ? null : 1, service, kind: 'CLIENT', name: 'GET' },
      times: [at + 10_000, at + 90_000],
      attributes: clientAttributes(path),
    }),
    span({
      ...{ trace, id: 3, parent: 2, service: called, kind: 'SERVER', name: `GET ${path}` },
      times: [at + 20_000, at + 80_000],
      attributes: serverAttributes(path),
    }),
  ];
}

/** A request of web, its CLIENT span, and the SERVER span of orders, which is a root if the call is cut. */
function drawCall(index: number, isCut: boolean): readonly Span[] {
  const [trace, at] = [index + 1, index * 1_000_000];
  return [
    span({
      ...{ trace, id: 1, service: 'web', kind: 'SERVER', name: 'GET /call', times: [at, at + 100_000] },
      attributes: serverAttributes('/call'),
    }),
    span({
      ...{ trace, id: 2, parent: 1, service: 'web', kind: 'CLIENT', name: 'GET' },
      times: [at + 10_000, at + 90_000],
      attributes: clientAttributes('/work'),
    }),
    span({
      ...{ trace: isCut ? 1_000_000 + index : trace, id: 3, parent: isCut ? null : 2, service: 'orders' },
      ...{ kind: 'SERVER', name: 'GET /work', times: [at + 20_000, at + 80_000] },
      attributes: serverAttributes('/work'),
    }),
  ];
}

function span({ trace = 1, id, parent = null, service, kind, name, times, attributes = {} }: Drawn): Span {
  return {
    traceId: `a${String(trace).padStart(31, '0')}`,
    spanId: `b${String(id).padStart(15, '0')}`,
    parentSpanId: parent === null ? null : `b${String(parent).padStart(15, '0')}`,
    traceState: '',
    flags: null,
    name,
    kind,
    startTimeUnixNano: 1_700_000_000_000_000_000n + BigInt(times[0]) * 1_000n,
    endTimeUnixNano: 1_700_000_000_000_000_000n + BigInt(times[1]) * 1_000n,
    attributes: new Map(Object.entries(attributes)),
    links: [],
    status: { code: 'UNSET', message: '' },
    serviceName: service,
    resource: new Map(),
    scopeName: '',
  };
}

function clientAttributes(path: string): Readonly<Record<string, string | number>> {
  return {
    'http.request.method': 'GET',
    'url.full': `http://orders:8082${path}`,
    'http.response.status_code': 200,
  };
}

function serverAttributes(path: string): Readonly<Record<string, string | number>> {
  return { 'http.request.method': 'GET', 'url.path': path, 'server.port': 8082 };
}
