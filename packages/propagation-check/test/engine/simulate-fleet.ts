import fc from 'fast-check';
import type { Span, SpanKind } from '../../src/span/span.ts';

/** A chain of services, each with several processes that export at times of their own. Times are milliseconds. */
export interface Fleet {
  readonly services: readonly {
    readonly processes: number;
    readonly hasInstanceIds: boolean;
    readonly hasFlags: boolean;
    /** The first export of each process; further ones follow every `exportInterval`. */
    readonly phases: readonly number[];
  }[];
  readonly requests: readonly {
    readonly at: number;
    /** By service, the process that handles the request. */
    readonly processes: readonly number[];
    /** How many calls each service makes to the next, one after the other. */
    readonly calls: number;
    readonly takes: number;
  }[];
  /** The capture contains the spans that arrived between these two times. */
  readonly from: number;
  readonly to: number;
}

/** The default of OpenTelemetry SDKs (OTEL_BSP_SCHEDULE_DELAY). */
const exportInterval = 5_000;
const duration = 30_000;

export const fleet: fc.Arbitrary<Fleet> = fc.record({
  services: fc.array(
    fc.record({
      processes: fc.integer({ min: 1, max: 8 }),
      hasInstanceIds: fc.boolean(),
      hasFlags: fc.boolean(),
      phases: fc.array(fc.nat(exportInterval - 1), { minLength: 8, maxLength: 8 }),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  requests: fc.array(
    fc.record({
      at: fc.nat(duration),
      processes: fc.array(fc.nat(7), { minLength: 4, maxLength: 4 }),
      calls: fc.integer({ min: 1, max: 2 }),
      takes: fc.integer({ min: 8, max: 400 }),
    }),
    { minLength: 5, maxLength: 80, size: 'max' },
  ),
  from: fc.nat(duration / 2),
  to: fc.integer({ min: duration / 2, max: duration + exportInterval }),
});

const epoch = 1_700_000_000_000_000_000n;

/** The spans that arrived while the capture ran. Every call is whole. */
export function captureFleet({ services, requests, from, to }: Fleet): readonly Span[] {
  const spans: Span[] = [];
  let ids = 0;
  for (const request of requests) {
    const traceId = (ids + 1).toString(16).padStart(32, 'a');
    const serve = (index: number, parentSpanId: string | null, start: number, end: number): void => {
      const service = services[index];
      if (service === undefined) return;
      const process = (request.processes[index] ?? 0) % service.processes;
      const add = (
        kind: SpanKind,
        name: string,
        parent: string | null,
        [begin, done]: readonly [number, number],
      ): string => {
        ids += 1;
        const spanId = ids.toString(16).padStart(16, '0');
        const phase = service.phases[process] ?? 0;
        const arrival = phase + Math.ceil(Math.max(0, done - phase) / exportInterval) * exportInterval;
        if (arrival >= from && arrival <= to) {
          spans.push({
            ...{ traceId, spanId, parentSpanId: parent, traceState: '', kind, links: [], scopeName: 'http' },
            name: kind === 'SERVER' ? `GET ${name}` : 'GET',
            flags: service.hasFlags ? (kind === 'SERVER' && parent !== null ? 0x301 : 0x101) : null,
            startTimeUnixNano: epoch + BigInt(Math.round(begin * 1e6)),
            endTimeUnixNano: epoch + BigInt(Math.round(done * 1e6)),
            attributes: new Map<string, string | number>([
              ['http.request.method', 'GET'],
              ['http.response.status_code', 200],
              ...(kind === 'SERVER'
                ? ([
                    ['url.path', name],
                    ['http.route', name],
                  ] as const)
                : ([['url.full', `http://s${index + 1}:8080${name}`]] as const)),
            ]),
            status: { code: 'UNSET', message: '' },
            serviceName: `s${index}`,
            resource: new Map([
              ['service.name', `s${index}`],
              ...(service.hasInstanceIds ? [['service.instance.id', `s${index}-${process}`] as const] : []),
            ]),
          });
        }
        return spanId;
      };
      const server = add('SERVER', `/s${index}`, parentSpanId, [start, end]);
      if (index + 1 >= services.length) return;
      const each = (end - start) / (request.calls + 1);
      for (let call = 0; call < request.calls; call += 1) {
        const begin = start + each * (call + 0.25);
        const client = add('CLIENT', `/s${index + 1}`, server, [begin, begin + each]);
        serve(index + 1, client, begin + each * 0.1, begin + each * 0.9);
      }
    };
    serve(0, null, request.at, request.at + request.takes);
  }
  return spans;
}
