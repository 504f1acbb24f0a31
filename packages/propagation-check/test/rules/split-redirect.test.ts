import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, judgeDrawing } from './judge-drawing.ts';

interface Download {
  readonly at: number;
  readonly caller?: string;
  /** The status that `files` answers. */
  readonly redirect?: string;
  /** The status that the caller finally saw. */
  readonly seen?: string;
  readonly host?: string;
  readonly extra?: string;
}

const times = [0, 700, 1900, 2600, 4100, 5300];

const code = (status: string): string => (status === '' ? '' : `http.response.status_code=${status}`);

/** A call of `web` that `files` redirects, in a trace of its own. */
const download = ({
  at,
  caller = 'web',
  redirect = '302',
  seen = '200',
  host = 'files',
  extra = '',
}: Download): string =>
  drawChain(
    10 + at,
    `${caller} CLIENT "GET" ${at + 5}..${at + 90} http.request.method=GET url.full=http://${host}/f ${code(seen)} ${extra}`,
    `${host} SERVER "GET /f" ${at + 10}..${at + 25} http.request.method=GET url.path=/f ${code(redirect)}`,
  );

/** The request after the redirect, in another trace. */
const fetched = (at: number, line = 'files SERVER "GET /blob"', path = '/blob'): string =>
  drawChain(
    90_000 + at,
    `${line} ${at + 40}..${at + 75} http.request.method=GET url.path=${path} http.response.status_code=200`,
  );

const judge = (
  drawCall: (call: Download) => string,
  drawRest: (at: number) => string = (at) => fetched(at),
): readonly string[] => judgeDrawing(times.map((at) => drawCall({ at }) + drawRest(at)).join(''));

const split = ['error split-trace web -> files 6'];

suite('calls that were redirected', () => {
  test('are split for each redirect status, and not for a status that a cache answers', () => {
    for (const redirect of ['301', '302', '303', '307', '308'])
      assert.deepEqual(
        judge((call) => download({ ...call, redirect })),
        split,
        redirect,
      );
    for (const redirect of ['304', '200', ''])
      assert.deepEqual(
        judge((call) => download({ ...call, redirect })),
        [],
        redirect,
      );
  });

  test('are not split if the caller saw the redirect, or if its status is unknown', () => {
    for (const seen of ['302', ''])
      assert.deepEqual(
        judge((call) => download({ ...call, seen })),
        [],
        seen,
      );
  });

  test('may be sent to another service', () => {
    assert.deepEqual(
      judge(download, (at) => fetched(at, 'blobs SERVER "GET /blob"')),
      ['error split-trace web -> blobs 6'],
    );
  });

  test('are not followed by probes, messages, or spans that are no requests', () => {
    for (const rest of [
      (at: number) => fetched(at, 'files SERVER "GET /healthz"', '/healthz'),
      (at: number) => fetched(at, 'files INTERNAL "job"'),
      (at: number) => drawChain(20 + at, `files SERVER "take" ${at + 40}..${at + 75} faas.trigger=pubsub`),
    ])
      assert.deepEqual(judge(download, rest), []);
  });

  test('are not followed by a request that began before the redirect or outlasts the call', () => {
    assert.deepEqual(
      judge(download, (at) => fetched(at - 40)),
      [],
    );
    assert.deepEqual(
      judge(download, (at) => fetched(at + 60)),
      [],
    );
  });

  test('are judged for each caller and each service that answers the redirect', () => {
    const app = (at: number): string => download({ at: at + 250, caller: 'app' }) + fetched(at + 250);
    assert.deepEqual(
      judge(download, (at) => fetched(at) + app(at)).toSorted(),
      ['error split-trace app -> files 6', ...split].toSorted(),
    );
  });

  test('are split from five calls on, if each was followed by a request of the same service', () => {
    const draw = (count: number): string =>
      times
        .slice(0, count)
        .map((at) => download({ at }) + fetched(at))
        .join('');
    assert.deepEqual(judgeDrawing(draw(5)), ['error split-trace web -> files 5']);
    assert.deepEqual(judgeDrawing(draw(4)), []);
    assert.deepEqual(judgeDrawing(draw(5) + times.map((at) => download({ at: at + 250 })).join('')), []);
    assert.deepEqual(
      judge(download, (at) => fetched(at, at < 2000 ? undefined : 'blobs SERVER "GET /blob"')),
      [],
    );
  });

  /** A call whose answer names the request after the redirect. */
  const answered = (at: number, rest = at, trace = at): string =>
    download({ at, extra: `http.response.header.traceresponse=00-<${90_000 + trace}>-<rest${rest}>-01` });
  const named = (at: number, from = at): string =>
    drawChain(
      90_000 + at,
      `blobs SERVER "GET /blob" ${from + 40}..${from + 75} http.request.method=GET url.path=/blob id:rest${at}`,
    );

  test('are split one by one if the answer names the following request', () => {
    assert.deepEqual(judgeDrawing(answered(0) + named(0)), ['error split-trace web -> blobs 1']);
    const others = times.slice(1, 4).map((at) => download({ at }) + fetched(at, 'blobs SERVER "GET /blob"'));
    assert.deepEqual(judgeDrawing([answered(0), named(0), ...others].join('')), [
      'error split-trace web -> blobs 1',
    ]);
    const all = [...others, download({ at: 4100 }) + fetched(4100, 'blobs SERVER "GET /blob"')];
    assert.deepEqual(judgeDrawing([answered(0), named(0), ...all].join('')), [
      'error split-trace web -> blobs 5',
    ]);
    assert.deepEqual(judgeDrawing(times.map((at) => answered(at) + named(at)).join('')), [
      'error split-trace web -> blobs 6',
    ]);
    // A request that an answer names belongs to no other call.
    const meanwhile = download({ at: 5 });
    assert.deepEqual(judgeDrawing([answered(0), named(0), meanwhile, ...all].join('')), [
      'error split-trace web -> blobs 1',
    ]);
  });

  test('are not split if the answer names a request before the redirect, or of another call', () => {
    assert.deepEqual(judgeDrawing(answered(0) + named(0, -25)), []);
    assert.deepEqual(judgeDrawing(answered(0) + named(0, 200)), []);
    assert.deepEqual(judgeDrawing(answered(0) + answered(20, 0, 0) + named(0)), []);
    assert.deepEqual(judgeDrawing(answered(0) + named(0) + answered(700, 0, 0)), []);
    const direct = drawChain(
      1,
      'app CLIENT "GET" 35..85 http.request.method=GET url.full=http://blobs/blob http.response.status_code=200 http.response.header.traceresponse=00-<90000>-<rest0>-01',
    );
    assert.deepEqual(judgeDrawing(answered(0) + named(0) + direct), []);
  });

  test('are not split if the service gets requests all the time', () => {
    const steady = Array.from({ length: 190 }, (_, index) => fetched(index * 30)).join('');
    assert.deepEqual(judgeDrawing(times.map((at) => download({ at })).join('') + steady), []);
  });
});
