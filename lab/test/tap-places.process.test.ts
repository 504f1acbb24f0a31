/**
 * A tap proves what its place proves: real services, none to two proxies between them, taps at every place, and each fault. A cause is
 * certain where the places prove it, and never a wrong one; otherwise the answer has the command of the tap that decides.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  checkTraces,
  expectPath,
  type Finding,
  type FindingId,
  noExpectation,
  type OtlpReceiver,
  startOtlpReceiver,
  startTap,
  type WireRecord,
} from 'propagation-check';
import { type HopOptions, startHop } from '../places/start-hop.ts';
import { type Service, startService } from '../places/start-services.ts';

const faults = ['not-sent', 'malformed', 'duplicated', 'stripped', 'rewritten', 'ignored', 'none'] as const;

interface Cell {
  readonly fault: (typeof faults)[number];
  /** Proxies between the services. */
  readonly hops: 0 | 1 | 2;
  /** The hop that strips or rewrites, from 1. */
  readonly at?: number;
  /** 0 is behind the caller, and `hops` in front of the called service. */
  readonly taps: readonly number[];
  readonly protocol: '1' | '2';
  readonly pooled: boolean;
  readonly parallel: boolean;
  readonly path?: HopOptions['path'];
  readonly host?: HopOptions['host'];
}

const causes = {
  'not-sent': 'header-not-sent',
  malformed: 'header-malformed',
  duplicated: 'header-duplicated',
  stripped: 'header-stripped',
  rewritten: 'header-rewritten',
  ignored: 'header-ignored',
  none: null,
} as const satisfies Record<Cell['fault'], FindingId | null>;

/** Whether the places of the taps prove the cause. */
function isProven({ fault, taps, hops, at = 0, path }: Cell): boolean {
  if (fault === 'ignored') return taps.includes(hops);
  if (fault === 'stripped' || fault === 'rewritten')
    return path !== 'prefixed' && taps.some((tap) => tap < at) && taps.some((tap) => tap >= at);
  return taps.includes(0);
}

let receiver: OtlpReceiver;
let web: Service;
let orders: Service;

interface Seen {
  readonly finding: Finding | undefined;
  readonly verdict: string;
}

/** Extra taps are urls behind the caller or in front of the called service, made by who calls. */
async function observe(cell: Cell): Promise<Seen> {
  const { fault, hops, at, taps, protocol, pooled, parallel, path = 'kept', host = 'kept' } = cell;
  const wire: WireRecord[] = [];
  const running: { close(): Promise<unknown> }[] = [];
  let url = protocol === '2' ? orders.http2 : orders.http1;
  for (let place = hops; place >= 0; place -= 1) {
    if (taps.includes(place)) {
      const tap = await startTap({ listen: { port: 0 }, target: url, onRecord: (record) => wire.push(record) });
      running.push(tap);
      url = tap.url;
    }
    if (place === 0) break;
    const does = place !== at ? 'pass' : fault === 'stripped' ? 'strip' : 'rewrite';
    const hop = await startHop({ protocol, target: url, does, path, host });
    running.push(hop);
    url = hop.url;
  }
  const query = new URLSearchParams({
    url: `${url}/work`,
    fault,
    protocol,
    calls: '4',
    pooled: String(pooled),
    parallel: String(parallel),
  });
  const known = new Set(receiver.readAll().map((span) => span.spanId));
  await fetch(`${web.http1}/start?${query}`);
  await Promise.all([web, orders].map(({ http1 }) => fetch(`${http1}/flush`)));
  for (const one of running) await one.close();
  const spans = receiver.readAll().filter((span) => !known.has(span.spanId));
  const expectation = { ...noExpectation, edges: expectPath(['web', 'orders']) };
  const result = checkTraces(spans, { expectation, headers: { wire, received: [] } });
  const finding = result.findings.find(({ severity }) => severity === 'error');
  return { finding, verdict: result.verdict };
}

function* listCells(): Generator<Cell> {
  const ways = [
    { protocol: '1', pooled: false, parallel: false },
    { protocol: '1', pooled: true, parallel: true },
    { protocol: '2', pooled: true, parallel: true },
  ] as const;
  for (const way of ways)
    for (const hops of [0, 1, 2] as const)
      for (const fault of faults) {
        const isOfHop = fault === 'stripped' || fault === 'rewritten';
        const places = Array.from({ length: hops + 1 }, (_, place) => place);
        const pairs = places.flatMap((one) => places.filter((two) => two > one).map((two) => [one, two]));
        for (const at of isOfHop ? places.slice(1) : [0])
          for (const taps of [...places.map((place) => [place]), ...pairs])
            yield { fault, hops, taps, ...way, ...(isOfHop ? { at } : {}) };
      }
}

describe('taps at every place', { concurrency: 1 }, () => {
  before(async () => {
    receiver = await startOtlpReceiver({ port: 0 });
    [web, orders] = await Promise.all([
      startService('web', receiver.url),
      startService('orders', receiver.url),
    ]);
  });
  after(async () => {
    web.stop();
    orders.stop();
    await receiver.close();
  });

  for (const cell of listCells()) {
    it(JSON.stringify(cell), async () => {
      const { finding, verdict } = await observe(cell);
      const cause = causes[cell.fault];
      if (cause === null) {
        assert.equal(verdict, 'intact', finding?.id);
        return;
      }
      const seen = `${finding?.id} ${finding?.confidence}: ${finding?.evidence[0]?.says}`;
      assert.equal(verdict, 'broken');
      assert.equal(finding?.confidence, isProven(cell) ? 'certain' : 'undecided', seen);
      if (isProven(cell)) assert.equal(finding.id, cause, seen);
      else {
        assert.ok(finding.candidates?.includes(cause), `${seen}; ${finding.candidates}`);
        assert.match(finding.decide?.join('\n') ?? '', /^propagation-check tap --listen 0 --target http:/m);
      }
    });
  }
});
