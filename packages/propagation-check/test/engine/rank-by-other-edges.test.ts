import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDrawing } from './read-fixture-drawing.ts';

/** A caller whose calls to auth are whole and whose calls to orders are split; `call` and `request` extend the lines of the split ones. */
function draw(scope: string, [call, request]: readonly [string, string] = ['', '']): string {
  return `
trace 1
  web    SERVER "GET /a" 0..100 http.request.method=GET url.path=/a
    web  CLIENT "GET" 1..9 http.request.method=GET url.full=http://auth:80/b http.response.status_code=200 ${scope}
      auth SERVER "GET /b" 2..8 http.request.method=GET url.path=/b server.port=80
    web  CLIENT "GET" 11..29 http.request.method=GET url.full=http://orders:80/c http.response.status_code=200 id:call ${scope} ${call}
trace 2
  orders SERVER "GET /c" 12..28 http.request.method=GET url.path=/c server.port=80 ${request}
`;
}

function judge(drawing: string) {
  const [finding] = checkDrawing(drawing).findings;
  return finding;
}

describe('whole calls of other edges', () => {
  it('make it unlikely that the caller sends no header, and are named', () => {
    const { candidates, facts } = judge(draw('scope:http')) ?? {};
    assert.equal(candidates?.[0], 'header-stripped');
    assert.deepEqual(facts, [
      'calls of web to auth by the same instrumentation are whole: it sends the header there',
    ]);
  });

  it('say nothing about a page, which may send the header only to some origins', () => {
    const { candidates, facts } = judge(draw('scope:@opentelemetry/instrumentation-fetch')) ?? {};
    assert.equal(candidates?.[0], 'header-not-sent');
    assert.equal(facts, undefined);
  });

  it('do not matter if headers name the cause', () => {
    const header = 'http.request.header.traceparent';
    const { id, facts } = judge(draw('', [`${header}=00-<1>-<call>-01`, `${header}=00-<1>-<call>-01`])) ?? {};
    assert.equal(id, 'header-ignored');
    assert.equal(facts, undefined);
  });

  it('say nothing without the name of an instrumentation', () => {
    const { candidates, facts } = judge(draw('')) ?? {};
    assert.deepEqual([candidates?.[0], facts], ['header-not-sent', undefined]);
  });

  it('into the callee are named, because it may trust only some callers', () => {
    const drawing = `
repeat 3 every 2000
trace 1
  admin    SERVER "GET /x" 0..100 http.request.method=GET url.path=/x
    admin  CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200
      orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=80 scope:http
trace 2
  web      SERVER "GET /call" 500..600 http.request.method=GET url.path=/call
    web    CLIENT "GET" 510..590 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200
trace 3
  orders   SERVER "GET /work" 520..580 http.request.method=GET url.path=/work server.port=80 scope:http
end
`;
    const { candidates, facts } = judge(drawing) ?? {};
    assert.deepEqual(candidates?.slice(0, 3), ['header-not-sent', 'header-stripped', 'header-ignored']);
    assert.deepEqual(facts, [
      'calls of admin to orders by the same instrumentation are whole: it reads the header there',
    ]);
  });

  it('say nothing about a call after a redirect, which a library may send without the header', () => {
    const { id, candidates, facts } =
      judge(`
trace 1
  web SERVER "GET /download" 0..100 http.request.method=GET url.path=/download
    web CLIENT "GET" 5..90 http.request.method=GET url.full=http://files:9000/f/1 http.response.status_code=200 http.response.header.traceresponse=00-<2>-<blob>-01 scope:http
      files SERVER "GET /f/1" 10..25 http.request.method=GET url.path=/f/1 http.response.status_code=302
trace 2
  blobs SERVER "GET /blob/1" 40..75 http.request.method=GET url.path=/blob/1 http.response.status_code=200 id:blob
`) ?? {};
    assert.deepEqual([id, candidates?.[0], facts], ['split-trace', 'header-not-sent', undefined]);
  });

  it('say nothing about other replicas and instrumentations of the caller', () => {
    const replica = (name: string) => `scope:http resource:service.instance.id=${name}`;
    const second = `trace 3
  web    SERVER "GET /a" 200..300 http.request.method=GET url.path=/a
    web  CLIENT "GET" 211..229 http.request.method=GET url.full=http://orders:80/c http.response.status_code=200 WORDS
trace 4
  orders SERVER "GET /c" 212..228 http.request.method=GET url.path=/c server.port=80
`;
    const listFacts = (words: string, other: string) =>
      judge(draw(words) + second.replace('WORDS', other))?.facts?.length ?? 0;
    assert.equal(listFacts(replica('one'), replica('one')), 1);
    assert.equal(listFacts(replica('one'), replica('two')), 0);
    assert.equal(listFacts('scope:http', 'scope:grpc'), 0);
    assert.equal(listFacts('scope:http', ''), 0);
  });

  it('count even if some calls of this edge are whole', () => {
    const split = (at: number) => `trace ${at}0
  web      SERVER "GET /call" ${at}00..${at}99 http.request.method=GET url.path=/call
    web    CLIENT "GET" ${at}10..${at}90 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200 scope:http
trace ${at}1
  orders   SERVER "GET /work" ${at}20..${at}80 http.request.method=GET url.path=/work server.port=80 scope:http
`;
    const whole = split(9)
      .replace(/trace 91\n/, '')
      .replace('  orders ', '      orders ');
    const finding = judge(`${split(1)}${split(3)}${split(4)}${split(6)}${whole}`);
    assert.deepEqual([finding?.server, finding?.facts], ['orders', undefined]);
  });

  it('say nothing if they are of another protocol or of a consumer', () => {
    const rpc = draw('scope:mesh')
      .replace(
        'http.request.method=GET url.full=http://auth:80/b http.response.status_code=200',
        'rpc.system=grpc rpc.service=Auth rpc.method=b',
      )
      .replace(
        'http.request.method=GET url.path=/b server.port=80',
        'rpc.system=grpc rpc.service=Auth rpc.method=b',
      );
    assert.equal(judge(draw('scope:mesh'))?.facts?.length, 1);
    assert.equal(judge(rpc)?.facts, undefined);
    const finding = judge(`
trace 1
  web    SERVER "POST /a" 0..100 http.request.method=POST url.path=/a
    web  CLIENT "GET" 1..9 http.request.method=GET url.full=http://auth:80/b http.response.status_code=200
      auth SERVER "GET /b" 2..8 http.request.method=GET url.path=/b server.port=80
    web  PRODUCER "send jobs" 11..12 messaging.system=kafka messaging.destination.name=jobs messaging.message.id=one scope:kafka
  app    PRODUCER "send jobs" 21..22 messaging.system=kafka messaging.destination.name=jobs messaging.message.id=two scope:kafka
    worker CONSUMER "process jobs" 31..39 messaging.system=kafka messaging.destination.name=jobs messaging.message.id=two scope:kafka
trace 2
  worker CONSUMER "process jobs" 41..49 messaging.system=kafka messaging.destination.name=jobs messaging.message.id=one scope:kafka
`);
    assert.equal(finding?.id, 'split-trace');
    assert.deepEqual(finding.candidates?.slice(0, 2), ['header-not-sent', 'header-ignored']);
    assert.equal(finding.facts, undefined);
  });
});
