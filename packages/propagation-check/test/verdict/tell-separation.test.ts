import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

type Words = { readonly [side in 'web' | 'orders']?: string };

const request = 'http.request.method=GET url.path=/work';

/** Calls of web to orders one after another, some whole and some split; each side with more words. */
function judge(calls: readonly (Words & { readonly broken?: true; readonly times?: number })[]) {
  const traces = calls.flatMap(({ times = 1, ...call }) => Array.from({ length: times }, () => call));
  const drawing = traces.flatMap(({ web = '', orders = '', broken }, at) => {
    const start = at * 1_000 + (at % 7) * 13;
    const client = `web CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:80/work http.response.status_code=200 ${web}`;
    const server = `orders SERVER "GET /work" ${start + 10}..${start + 80} ${request} server.port=80 ${orders}`;
    return [
      `trace ${at * 2 + 1}`,
      `  ${client}`,
      ...(broken ? [`trace ${at * 2 + 2}`, `  ${server}`] : [`    ${server}`]),
    ];
  });
  const { spans, expectation } = readDrawing(drawing.join('\n'));
  const [finding] = checkTraces(spans, { expectation }).findings;
  assert.equal(finding?.id, 'split-trace');
  return finding.facts;
}

const of = (key: string, value: string): string => `resource:${key}=${value}`;
const one = of('service.instance.id', 'one');
const two = of('service.instance.id', 'two');
const three = of('service.instance.id', 'three');

describe('what all broken calls have in common', () => {
  it('is the replica of the called service that no whole call reached', () => {
    assert.deepEqual(
      judge([
        { times: 4, orders: one },
        { times: 5, orders: three, broken: true },
        { times: 3, orders: two },
      ]),
      ['all 5 calls reached orders with service.instance.id=three; the 7 whole ones reached others'],
    );
  });

  it('is the version or the node, where several replicas have it', () => {
    const old = `${of('service.version', '1')} ${of('k8s.node.name', 'a')}`;
    const recent = `${of('service.version', '2')} ${of('k8s.node.name', 'b')}`;
    assert.deepEqual(
      judge([
        { times: 5, web: `${one} ${old}` },
        { times: 3, web: `${two} ${recent}`, broken: true },
        { times: 3, web: `${three} ${recent}`, broken: true },
      ]),
      [
        'all 6 calls come from web with service.version=2, k8s.node.name=b; the 5 whole ones come from others',
      ],
    );
  });

  it('is the address that was called, where spans of the called service name no replica', () => {
    const at = (address: string): string => `network.peer.address=${address}`;
    assert.deepEqual(
      judge([
        { times: 5, web: at('10.0.0.1') },
        { times: 5, web: at('10.0.0.2'), broken: true },
      ]),
      ['all 5 calls went to network.peer.address=10.0.0.2; the 5 whole ones went to others'],
    );
  });

  it('is not told with one exception on either side', () => {
    const calls = [
      { times: 9, orders: one },
      { times: 9, orders: two, broken: true },
    ] as const;
    assert.equal(judge(calls)?.length, 1);
    assert.equal(judge([...calls, { orders: two }]), undefined);
    assert.equal(judge([...calls, { orders: three, broken: true }]), undefined);
    assert.equal(judge([...calls, { broken: true }]), undefined);
    assert.equal(judge([...calls, {}]), undefined);
    // The same replica under another resource.
    assert.equal(judge([...calls, { orders: `${two} ${of('process.pid', '7')}` }]), undefined);
  });

  it('is not told of few calls on either side', () => {
    const [whole, broken] = [{ orders: one }, { orders: two, broken: true }] as const;
    assert.equal(
      judge([
        { ...whole, times: 4 },
        { ...broken, times: 9 },
      ]),
      undefined,
    );
    assert.equal(
      judge([
        { ...whole, times: 9 },
        { ...broken, times: 4 },
      ]),
      undefined,
    );
  });

  it('holds of whole calls alone where another report has broken ones', () => {
    const header = 'http.request.header.traceparent';
    const times = [0, 2_000, 4_000, 6_000, 8_000, 10_000];
    const drawing = times.flatMap((time) =>
      [one, two, three].flatMap((replica, at) => {
        const start = time + at * 600;
        const recorded = at === 0 ? `${header}=00-<${start + 1}>-<c${start}>-01` : '';
        return [
          `trace ${start + 1}`,
          `  web CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:80/work http.response.status_code=200 id:c${start} ${recorded}`,
          ...(at === 2 ? [] : [`trace ${start + 2}`]),
          `${at === 2 ? '    ' : '  '}orders SERVER "GET /work" ${start + 10}..${start + 80} ${request} server.port=80 ${replica} ${recorded}`,
        ];
      }),
    );
    const { findings } = checkTraces(readDrawing(drawing.join('\n')).spans);
    assert.deepEqual(
      findings.map(({ id, facts }) => [id, facts]),
      ['one', 'two'].map((replica, at) => [
        at === 0 ? 'header-ignored' : 'split-trace',
        [`all 6 calls reached orders with service.instance.id=${replica}; the 6 whole ones reached others`],
      ]),
    );
  });

  it('is told of calls that are connected, to the wrong caller', () => {
    const times = [0, 2_000, 4_000, 6_000, 8_000, 10_000];
    const requestOf = (start: number): string => `
  web SERVER "GET /call" ${start}..${start + 100} http.request.method=GET url.path=/call
    web CLIENT "GET" ${start + 5}..${start + 95} http.request.method=GET url.full=http://orders:80/work http.response.status_code=200`;
    const servedAt = (start: number, words: string): string => `
      orders SERVER "GET /work" ${start + 10}..${start + 90} ${request} server.port=80 ${words}`;
    const drawing = times.flatMap((start, at) => [
      `\ntrace 1${at}${requestOf(start)}${servedAt(start, one)}`,
      `\ntrace 2${at}${requestOf(start + 1_000)}`,
      // Below the call of the first.
      ...(at === 0 ? times.map((other) => servedAt(other + 1_000, other === 0 ? one : two)) : []),
    ]);
    const { spans } = readDrawing(drawing.join(''));
    const [finding] = checkTraces(spans).findings;
    assert.equal(finding?.id, 'stale-context');
    assert.match(finding.facts?.join() ?? '', /^all \d calls reached orders with service\.instance\.id=two/);
  });
});
