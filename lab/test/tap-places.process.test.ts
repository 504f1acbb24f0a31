/**
 * What taps prove depends on where they are. Real services with no proxy to two proxies between them, taps at every place, and each fault.
 * The cause is certain only when the places of the taps prove it, and then it is right. Otherwise the finding has the command that starts
 * the tap that decides.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  checkTraces,
  expectPath,
  type Finding,
  type FindingId,
  noExpectation,
  type OtlpReceiver,
  type Span,
  startOtlpReceiver,
  startTap,
  type WireRecord,
} from 'propagation-check';
import { type HopOptions, startHop } from '../places/start-hop.ts';
import { type Service, startService } from '../places/start-services.ts';

const faults = ['not-sent', 'malformed', 'duplicated', 'stripped', 'rewritten', 'ignored', 'none'] as const;

interface Cell {
  readonly fault: (typeof faults)[number];
  /** Number of proxies between the services. */
  readonly hops: 0 | 1 | 2;
  /** Number of the hop that strips or rewrites the header, from 1. */
  readonly at?: number;
  /** Places of the taps: 0 is after the caller, `hops` is in front of the callee. */
  readonly taps: readonly number[];
  readonly protocol: '1' | '2';
  readonly pooled: boolean;
  readonly parallel: boolean;
  readonly host: HopOptions['host'];
  /** Hops prefix the path with this. */
  readonly prefix?: string;
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
function isProven({ fault, taps, hops, at = 0 }: Cell): boolean {
  if (fault === 'ignored') return taps.includes(hops);
  if (fault === 'rewritten') return taps.some((tap) => tap < at) && taps.some((tap) => tap >= at);
  // After the hop that strips the header, only the connection to the callee relates a request to the call.
  if (fault === 'stripped') return taps.some((tap) => tap < at) && taps.includes(hops);
  return taps.includes(0);
}

/** A malformed or duplicated header proves the cause at every place where a tap sees it. */
function isVisible({ fault }: Cell): boolean {
  return fault === 'malformed' || fault === 'duplicated';
}

function readCommand({ decide = [] }: Finding): string {
  const command = decide
    .flatMap((step) => step.split('\n'))
    .find((line) => line.startsWith('propagation-check tap'));
  assert.ok(command, decide.join('\n'));
  return command;
}

const callsPerRun = 4;
let receiver: OtlpReceiver;
let web: Service;
let gateway: Service;
let orders: Service;

interface Seen {
  readonly finding: Finding | undefined;
  readonly verdict: string;
}

async function observe(cell: Cell): Promise<Seen> {
  const { fault, hops, at, taps, protocol, host, prefix = '' } = cell;
  const wire: WireRecord[] = [];
  let url = protocol === '2' ? orders.http2 : orders.http1;
  // Without disposal, open handles would keep this process alive after a failed cell.
  await using stack = new AsyncDisposableStack();
  for (let place = hops; place >= 0; place -= 1) {
    if (taps.includes(place)) {
      const tap = await startTap({
        listen: { port: 0 },
        target: url,
        onRecord: (record) => wire.push(record),
      });
      stack.defer(async () => {
        await tap.close();
      });
      url = tap.url;
    }
    if (place === 0) break;
    const does = place !== at ? 'pass' : fault === 'stripped' ? 'strip' : 'rewrite';
    const target = url;
    const hop = await startHop({ protocol, target: () => target, does, host, prefix });
    stack.defer(async () => {
      await hop.close();
    });
    url = hop.url;
  }
  const spans = await callOrders(url, cell);
  await stack.disposeAsync();
  return judge(spans, wire);
}

/** `web` calls `orders` through `gateway`, which makes spans. Edge 1 is web → gateway, edge 2 is gateway → orders. */
async function observeGateway(edge: 1 | 2, fault: string, taps: readonly number[]): Promise<Seen> {
  const wire: WireRecord[] = [];
  await using stack = new AsyncDisposableStack();
  const reach = async (target: string, isTapped: boolean) => {
    if (!isTapped) return target;
    const onRecord = (record: WireRecord) => wire.push(record);
    const tap = await startTap({ listen: { port: 0 }, target, onRecord });
    stack.defer(async () => {
      await tap.close();
    });
    return tap.url;
  };
  const url = await reach(gateway.http1, taps.includes(1));
  const next = await reach(orders.http1, taps.includes(2));
  const spans = await callFromWeb({
    ...{ url: `${url}/orders`, next: `${next}/work`, protocol: '1', pooled: false, parallel: false },
    ...{ fault: edge === 1 ? fault : 'none', nextFault: edge === 2 ? fault : 'none' },
  });
  await stack.disposeAsync();
  return judge(spans, wire, ['web', 'gateway', 'orders']);
}

/** @returns only the spans of the calls */
async function callOrders(url: string, cell: Cell): Promise<readonly Span[]> {
  const { fault, protocol, pooled, parallel } = cell;
  return callFromWeb({ url: `${url}/work`, fault, protocol, pooled, parallel });
}

async function callFromWeb(query: Readonly<Record<string, string | boolean>>): Promise<readonly Span[]> {
  const search = new URLSearchParams({ calls: String(callsPerRun) });
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  const known = new Set(receiver.readAll().map((span) => span.spanId));
  await fetch(`${web.http1}/start?${search}`);
  await Promise.all([web, gateway, orders].map(({ http1 }) => fetch(`${http1}/flush`)));
  return receiver.readAll().filter((span) => !known.has(span.spanId));
}

function judge(
  spans: readonly Span[],
  wire: readonly WireRecord[],
  path: readonly string[] = ['web', 'orders'],
): Seen {
  const expectation = { ...noExpectation, edges: expectPath(path) };
  const { findings, verdict } = checkTraces(spans, { expectation, headers: { wire, received: [] } });
  return { finding: findings.find(({ severity }) => severity === 'error'), verdict };
}

/** Runs a command in this folder as a shell does. @returns the address on which the tap listens */
async function paste(t: TestContext, command: string, folder: string): Promise<string> {
  const cli = fileURLToPath(new URL('../../packages/propagation-check/src/cli.ts', import.meta.url));
  const program = join(folder, 'propagation-check');
  const run = `#!/bin/sh\nexec ${process.execPath} --conditions=trace-context-source ${cli} "$@"\n`;
  await writeFile(program, run, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const child = spawn('sh', ['-c', `exec ${command}`], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill());
  let said = '';
  for await (const chunk of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += chunk;
    const url = /listening on (http:\S+),/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`${command}: ${said}`);
}

/** Reads the records of all taps once there are enough: a tap writes a record after it has forwarded the answer. */
async function readWires(
  folder: string,
  expected: number,
  signal: AbortSignal,
): Promise<readonly WireRecord[]> {
  for (;;) {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
    if (lines.length >= expected) return lines.map((line) => JSON.parse(line));
    await delay(10, undefined, { signal });
  }
}

function* listCells(): Generator<Cell> {
  const ways: readonly Pick<Cell, 'protocol' | 'pooled' | 'parallel' | 'host' | 'prefix'>[] = [
    { protocol: '1', pooled: false, parallel: false, host: 'own' },
    { protocol: '1', pooled: true, parallel: true, host: 'kept' },
    { protocol: '2', pooled: true, parallel: true, host: 'kept' },
    { protocol: '1', pooled: false, parallel: false, host: 'own', prefix: '/api' },
  ];
  for (const way of ways)
    for (const hops of [0, 1, 2] as const)
      for (const fault of faults) {
        if (hops === 0 && way.prefix !== undefined) continue;
        const isOfHop = fault === 'stripped' || fault === 'rewritten';
        const places = Array.from({ length: hops + 1 }, (_, place) => place);
        const pairs = places.flatMap((one) => places.filter((two) => two > one).map((two) => [one, two]));
        for (const at of isOfHop ? places.slice(1) : [0])
          for (const taps of [...places.map((place) => [place]), ...pairs])
            yield { fault, hops, taps, ...way, ...(isOfHop ? { at } : {}) };
      }
}

describe('taps at every place', { concurrency: 1, timeout: 180_000 }, () => {
  before(async () => {
    receiver = await startOtlpReceiver({ port: 0 });
    [web, gateway, orders] = await Promise.all([
      startService('web', receiver.url),
      startService('gateway', receiver.url),
      startService('orders', receiver.url),
    ]);
  });
  after(async () => {
    for (const service of [web, gateway, orders]) service.stop();
    await receiver.close();
  });

  for (const cell of listCells()) {
    it(JSON.stringify(cell), async () => {
      const { finding, verdict } = await observe(cell);
      const cause = causes[cell.fault];
      if (cause === null) {
        assert.equal(verdict, 'intact');
        return;
      }
      const seen = `${finding?.id} ${finding?.confidence}: ${finding?.evidence[0]?.says}`;
      assert.equal(verdict, 'broken');
      assert.ok(finding);
      if (finding.confidence === 'certain') {
        assert.equal(finding.id, cause, seen);
        assert.ok(isProven(cell) || isVisible(cell), seen);
        return;
      }
      // A request without an id or with another path matches every call that is open at that time.
      const isHidden = cell.fault === 'stripped' && (cell.parallel || cell.prefix !== undefined);
      assert.ok(!isProven(cell) || isHidden, seen);
      assert.ok(finding.candidates?.includes(cause), `${seen}; ${finding.candidates}`);
      const command = readCommand(finding);
      // A proxy that keeps the Host header hides the address of the callee.
      if (command.includes('--client') || cell.host === 'own')
        assert.match(command, / --target http:\/\/127\.0\.0\.1:\d+ /);
    });
  }

  for (const edge of [1, 2] as const)
    for (const fault of [
      'not-sent',
      'malformed',
      'duplicated',
      'ignored',
      'not-instrumented',
      'none',
    ] as const)
      for (const taps of [[], [1], [2], [1, 2]])
        it(`behind a hop with spans of its own: ${fault} on edge ${edge}, taps on ${taps.join(' and ') || 'none'}`, async () => {
          const { finding, verdict } = await observeGateway(edge, fault, taps);
          const cause = fault === 'not-instrumented' ? 'client-not-instrumented' : causes[fault];
          if (cause === null) {
            assert.equal(verdict, 'intact');
            return;
          }
          assert.equal(verdict, 'broken');
          const seen = `${finding?.id} ${finding?.confidence} ${finding?.client} -> ${finding?.server}`;
          const place = edge === 1 ? ['web', 'gateway'] : ['gateway', 'orders'];
          assert.deepEqual([finding?.client ?? place[0], finding?.server ?? place[1]], place, seen);
          const isSeen = taps.includes(edge);
          if (finding?.confidence === 'undecided') assert.ok(finding.candidates?.includes(cause), seen);
          else assert.equal(finding?.id, cause, seen);
          // A tap on this edge is the only hop between the two services.
          if (isSeen && fault !== 'not-instrumented') assert.equal(finding?.confidence, 'certain', seen);
        });

  for (const hops of [0, 1] as const)
    for (const fault of [
      'not-sent',
      'malformed',
      'ignored',
      ...(hops === 1 ? (['stripped'] as const) : []),
    ] as const)
      it(`the suggested commands, run one after the other, lead to the cause: ${fault}, ${hops} hops`, async (t) => {
        const folder = await mkdtemp(join(tmpdir(), 'places-'));
        t.after(() => rm(folder, { recursive: true }));
        let callee = orders.http1;
        let called = callee;
        if (hops === 1) {
          const does = fault === 'stripped' ? 'strip' : 'pass';
          const hop = await startHop({ protocol: '1', target: () => callee, does, host: 'own' });
          t.after(() => hop.close());
          called = hop.url;
        }
        const cell = {
          fault,
          hops,
          taps: [],
          protocol: '1',
          pooled: false,
          parallel: false,
          host: 'own',
        } as const;
        let recorded = 0;
        for (let pasted = 0; ; pasted += 1) {
          const spans = await callOrders(called, cell);
          recorded += callsPerRun * pasted;
          const { finding } = judge(spans, await readWires(folder, recorded, t.signal));
          assert.ok(finding);
          if (finding.confidence === 'certain') {
            assert.equal(finding.id, causes[fault]);
            assert.ok(pasted > 0);
            return;
          }
          const command = readCommand(finding);
          assert.ok(pasted < 2, command);
          const url = await paste(t, command, folder);
          if (command.includes('--client ')) called = url;
          else callee = url;
        }
      });
});
