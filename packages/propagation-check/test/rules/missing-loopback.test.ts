import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, explainDrawing, judgeDrawing } from './judge-drawing.ts';

const times = [0, 700, 1900, 2600, 4100, 5300];

const ask = (at: number, path = '/v1/flag', more: readonly string[] = []): string =>
  drawChain(
    10 + at,
    `web CLIENT "GET" ${at - 5}..${at + 55} http.request.method=GET url.full=http://flags:8080${path} http.response.status_code=200`,
    `flags SERVER "GET ${path}" ${at}..${at + 50} http.request.method=GET url.path=${path}`,
    ...more,
  );

const rpc = (at: number, method = 'Get', about = 'rpc.system=grpc', number = 50_000 + at): string =>
  drawChain(
    number,
    `flags SERVER "${method}" ${at + 5}..${at + 45} ${about} ${about.startsWith('rpc') ? `rpc.method=${method}` : ''}`,
  );

const draw = (drawEach: (at: number) => string, from: readonly number[] = times): string =>
  from.map(drawEach).join('');
const judge = (drawEach: (at: number) => string, from?: readonly number[]): readonly string[] =>
  judgeDrawing(draw(drawEach, from));

const missing = (count: number): string => `error missing-call flags -> flags ${count}`;

suite('a service that calls itself over gRPC to answer HTTP', () => {
  test('is reported from five requests on', () => {
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at)),
      [missing(6)],
    );
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at), times.slice(1)),
      [missing(5)],
    );
    const few = draw((at) => ask(at) + rpc(at), times.slice(2));
    assert.deepEqual(judgeDrawing(few), []);
    assert.ok(
      explainDrawing(few).includes(
        'SERVER of flags: missing-call: nearly all HTTP requests of a route enclose one of these and waited for it, several times: 4 requests, 4 of "Get"',
      ),
    );
  });

  test('is reported if another replica answers', () => {
    const onPods = (at: number) =>
      ask(at).replace(/(flags SERVER.*)/g, '$1 resource:k8s.pod.name=flags-1') +
      rpc(at).replace(/(flags SERVER.*)/, '$1 resource:k8s.pod.name=flags-2');
    assert.deepEqual(judge(onPods), [missing(6)]);
  });

  test('is reported for each service', () => {
    const other = (at: number) => (ask(at + 250) + rpc(at + 250)).replaceAll('flags', 'rules');
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at) + other(at)).toSorted(),
      [missing(6), missing(6).replaceAll('flags', 'rules')].toSorted(),
    );
  });

  test('is not reported if the requests have spans below them', () => {
    assert.deepEqual(
      judge((at) => ask(at, '/v1/flag', [`flags INTERNAL "read" ${at + 10}..${at + 20}`]) + rpc(at)),
      [],
    );
  });

  test('is not reported if requests come at any time', () => {
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at + 60)),
      [],
    );
  });

  test('is inferred from the requests, not from calls of its own', () => {
    const job = (at: number) =>
      drawChain(
        10 + at,
        `flags CLIENT "GET" ${at}..${at + 50} http.request.method=GET url.full=http://partner/`,
      );
    assert.ok(!judge((at) => job(at) + rpc(at)).includes(missing(6)));
  });

  test('is not reported for a job within requests, or for a request within gRPC requests', () => {
    const job = (at: number) =>
      drawChain(50_000 + at, `flags CONSUMER "job" ${at + 5}..${at + 45} messaging.system=kafka`);
    assert.deepEqual(judgeDrawing(draw((at) => ask(at) + job(at)) + rpc(6000)), []);
    const outer = (at: number) =>
      drawChain(
        10 + at,
        `web CLIENT "All" ${at - 5}..${at + 55} rpc.system=grpc rpc.method=All`,
        `flags SERVER "All" ${at}..${at + 50} rpc.system=grpc rpc.method=All`,
      );
    assert.ok(!judge((at) => outer(at) + rpc(at)).includes(missing(6)));
  });

  test('is reported for each method, beside direct calls of another method', () => {
    const list = (at: number) => ask(at + 250, '/v1/flags') + rpc(at + 250, 'List');
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at) + list(at)),
      [missing(12)],
    );
    const direct = (at: number) => rpc(at + 8, 'List', 'rpc.system=grpc', 90_000 + at);
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at) + direct(at)),
      [missing(6)],
    );
    assert.deepEqual(
      judge((at) => ask(at) + rpc(at, at < 2000 ? 'Get' : 'List')),
      [],
    );
  });
});
