import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain } from './judge-drawing.ts';

/** Irregular, so that nothing else stays in step. */
const times = [0, 700, 1900, 2600, 4100, 5300];

interface ClientSpan {
  readonly service?: string;
  readonly kind?: string;
  readonly method?: string;
  readonly target?: string;
  readonly scope?: string;
  readonly extra?: string;
  readonly from?: number;
  readonly to?: number;
}

const drawSpan = (
  at: number,
  {
    service = 'web',
    kind = 'CLIENT',
    method = 'GET',
    target = 'url.full=http://api/m',
    extra = '',
    ...span
  }: ClientSpan,
): string =>
  `${service} ${kind} "${method}" ${at + (span.from ?? 0)}..${at + (span.to ?? 0)} http.request.method=${method} ${target} http.response.status_code=200 ${span.scope === '' ? '' : `scope:${span.scope}`} ${extra}`;
const drawOuter = (at: number, span: ClientSpan = {}): string =>
  drawSpan(at, { from: 6, to: 90, scope: 'jaxrs-client', ...span });
const drawInner = (at: number, span: ClientSpan = {}): string =>
  drawSpan(at, { from: 7, to: 89, scope: 'httpclient', ...span });
const serve = (at: number): string =>
  `api SERVER "GET /m" ${at + 9}..${at + 85} http.request.method=GET url.path=/m`;
const enter = (at: number, service = 'web'): string =>
  `${service} SERVER "GET /f" ${at}..${at + 100} http.request.method=GET url.path=/f`;

/**
 * The edges whose calls are reported as divided between two libraries. Each call has the spans of both, that of the inner one in a trace of its own.
 */
function listDivided(outer: ClientSpan = {}, inner: ClientSpan = {}, more = ''): readonly string[] {
  const calls = times.map(
    (at, round) =>
      drawChain(10 + round, enter(at, outer.service), drawOuter(at, outer)) +
      drawChain(20 + round, drawInner(at, inner), serve(at)),
  );
  const { findings } = checkTraces(readDrawing(calls.join('') + more).spans);
  return findings
    .filter(({ evidence }) => evidence.some(({ says }) => says.includes('for the same request')))
    .map(({ client, server, count }) => `${client} -> ${server} ${count}`);
}

const divided = ['web -> api 6'];

suite('a CLIENT span that began a trace within a CLIENT span without a child', () => {
  test('is of the inner library of one call', () => {
    assert.deepEqual(listDivided(), divided);
    const instance = { extra: 'resource:service.instance.id=a' };
    assert.deepEqual(listDivided(instance, instance), divided);
  });

  test('is of another call if the libraries are one or unknown', () => {
    for (const [outer, inner] of [
      ['httpclient', 'httpclient'],
      ['', 'httpclient'],
      ['jaxrs-client', ''],
    ] as const)
      assert.deepEqual(listDivided({ scope: outer }, { scope: inner }), [], `${outer} ${inner}`);
  });

  test('is of another call if the request differs', () => {
    for (const outer of [
      { method: 'POST' },
      { target: 'url.full=http://api/n' },
      { target: 'url.full=http://pay/m' },
    ])
      assert.deepEqual(listDivided(outer), [], JSON.stringify(outer));
    const untold = { target: 'server.address=api' };
    assert.deepEqual(listDivided(untold, untold), []);
  });

  test('is of another call if it ends later, or the process or the service differs', () => {
    assert.deepEqual(listDivided({}, { to: 96 }), []);
    const instance = (name: string) => ({ extra: `resource:service.instance.id=${name}` });
    assert.deepEqual(listDivided(instance('a'), instance('b')), []);
    const local = { target: 'url.full=http://localhost/m' };
    assert.deepEqual(listDivided(local, local), divided);
    const other = drawChain(50, drawOuter(9000));
    assert.deepEqual(listDivided({ ...local, service: 'shop' }, local, other), []);
  });

  test('is no span of one call if the kinds differ', () => {
    assert.deepEqual(listDivided({ kind: 'PRODUCER' }), []);
    assert.deepEqual(listDivided({}, { kind: 'INTERNAL' }), []);
  });

  test('is not counted with calls that have a parent, and not with the calls of another edge', () => {
    const whole = times.map((at, round) =>
      drawChain(30 + round, enter(at + 200), drawOuter(at + 200), serve(at + 200)),
    );
    assert.deepEqual(listDivided({}, {}, whole.join('')), divided);
    const stock = { target: 'url.full=http://stock/m' };
    const alone = times.map((at, round) =>
      drawChain(40 + round, drawInner(at + 200, stock), serve(at + 200).replace('api', 'stock')),
    );
    assert.deepEqual(listDivided({}, {}, alone.join('')), divided);
  });
});
