import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkDrawing } from './read-fixture-drawing.ts';
import { createRandom } from './simulate-system.ts';

const callers = ['web', 'shop', 'admin', 'batch'];
const callees = ['orders', 'stock', 'price', 'users', 'mail', 'audit'];
const requests = 400;
const seed = 20_261_201;

/** `gateway`: HTTP through one address for all services. */
type Protocol = 'http' | 'gateway' | 'rpc' | 'messaging';

interface Call {
  readonly caller: string;
  readonly callee: string;
  /** The number of the call. */
  readonly at: number;
}

/** What happens to a call: the called service begins a trace, the call itself does, or the call is below the first request. */
type Fate = (call: Call) => 'whole' | 'split' | 'detached' | 'stale';

/** Each request calls one of several services. Requests overlap if they are less than 30 ms apart. */
function draw(protocol: Protocol, apart: number, fateOf: Fate): string {
  const random = createRandom(seed);
  const oneOf = (names: readonly string[]): string => names[Math.floor(random() * names.length)] ?? '';
  const firstOf = new Map<string, number>();
  const traces: string[][] = [];
  for (let at = 0; at < requests; at += 1) {
    const [caller, callee] = [oneOf(callers), oneOf(callees)];
    const from = at * apart + Math.floor(random() * apart);
    const { client, server } = drawSides(protocol, { caller, callee, at }, from);
    const request = [
      `  ${caller} SERVER "GET /run" ${from}..${from + 30} http.request.method=GET http.route=/run`,
    ];
    const fate = fateOf({ caller, callee, at });
    const first = firstOf.get(caller) ?? traces.length;
    firstOf.set(caller, first);
    if (fate === 'whole') traces.push([...request, `    ${client}`, `      ${server}`]);
    else if (fate === 'split') traces.push([...request, `    ${client}`], [`  ${server}`]);
    else if (fate === 'detached') traces.push(request, [`  ${client}`, `    ${server}`]);
    else {
      traces.push(request);
      traces[first]?.push(`    ${client}`, `      ${server}`);
    }
  }
  return traces.map((lines, at) => [`trace ${at + 1}`, ...lines, ''].join('\n')).join('');
}

function drawSides(
  protocol: Protocol,
  { caller, callee, at }: Call,
  from: number,
): Readonly<Record<'client' | 'server', string>> {
  const [call, work] = [`${from + 2}..${from + 28}`, `${from + 4}..${from + 26}`];
  if (protocol === 'messaging') {
    const queue = `messaging.system=rabbitmq messaging.destination.name=${callee}`;
    return {
      client: `${caller} PRODUCER "send ${callee}" ${from + 2}..${from + 3} ${queue}`,
      server: `${callee} CONSUMER "process ${callee}" ${from + 5}..${from + 9} ${queue}`,
    };
  }
  if (protocol === 'rpc') {
    const method = `rpc.system.name=grpc rpc.method=shop.${callee}/Get`;
    return {
      client: `${caller} CLIENT "shop.${callee}/Get" ${call} ${method} server.address=${callee} server.port=90`,
      server: `${callee} SERVER "shop.${callee}/Get" ${work} ${method}`,
    };
  }
  const get = 'http.request.method=GET http.response.status_code=200';
  const host = protocol === 'gateway' ? 'gateway' : callee;
  return {
    client: `${caller} CLIENT "GET" ${call} ${get} url.full=http://${host}:80/item/${at}`,
    server: `${callee} SERVER "GET /item/:id" ${work} ${get} url.path=/item/${at} http.route=/item/:id`,
  };
}

/** The edges on which findings of this id are reported. */
function listEdges(drawing: string, id: string): readonly string[] {
  const { findings } = checkDrawing(drawing);
  assert.deepEqual(
    findings.filter((finding) => finding.id !== id),
    [],
  );
  return findings.map(({ severity, client, server }) => `${severity} ${client} -> ${server}`).sort();
}

function nameEdges(severity: string, from: readonly string[], to: readonly string[]): readonly string[] {
  return from.flatMap((client) => to.map((server) => `${severity} ${client} -> ${server}`)).sort();
}

for (const apart of [100, 12])
  suite(`services that each call several others, with a request every ${apart} ms`, () => {
    for (const protocol of ['http', 'gateway', 'rpc', 'messaging'] as const) {
      // Without ids in messages, a wholly lost edge may have its senders outside of the data.
      const severity = protocol === 'messaging' ? 'warning' : 'error';

      test(`${protocol}: intact`, () => {
        const { verdict, findings } = checkDrawing(draw(protocol, apart, () => 'whole'));
        assert.deepEqual([verdict, findings], ['intact', []]);
      });

      test(`${protocol}: all calls to one service are split`, () => {
        const drawing = draw(protocol, apart, ({ callee }) => (callee === 'stock' ? 'split' : 'whole'));
        assert.deepEqual(listEdges(drawing, 'split-trace'), nameEdges(severity, callers, ['stock']));
      });

      test(`${protocol}: all calls of one service are split`, () => {
        const drawing = draw(protocol, apart, ({ caller }) => (caller === 'shop' ? 'split' : 'whole'));
        assert.deepEqual(listEdges(drawing, 'split-trace'), nameEdges(severity, ['shop'], callees));
      });

      test(`${protocol}: all calls are split`, () => {
        const drawing = draw(protocol, apart, () => 'split');
        assert.deepEqual(listEdges(drawing, 'split-trace'), nameEdges(severity, callers, callees));
      });

      test(`${protocol}: every third call is split`, () => {
        const drawing = draw(protocol, apart, ({ at }) => (at % 3 === 0 ? 'split' : 'whole'));
        assert.deepEqual(listEdges(drawing, 'split-trace'), nameEdges('error', callers, callees));
      });
    }

    test('http: all calls of one service begin traces', () => {
      const drawing = draw('http', apart, ({ caller }) => (caller === 'shop' ? 'detached' : 'whole'));
      assert.deepEqual(listEdges(drawing, 'context-lost-in-process'), nameEdges('error', ['shop'], callees));
    });

    test('http: all calls of one service are below its first request', () => {
      const drawing = draw('http', apart, ({ caller }) => (caller === 'shop' ? 'stale' : 'whole'));
      assert.deepEqual(listEdges(drawing, 'stale-context'), nameEdges('error', ['shop'], callees));
    });
  });
