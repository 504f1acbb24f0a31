import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** A split call of web to orders, and a later call to stock whose CLIENT span recorded a traceparent. */
function judge(recorded: 'own' | 'other', resource = '') {
  const { spans } = readDrawing(`
trace 1
  web    SERVER "GET /call" 0..100 http.request.method=GET url.path=/call ${resource}
    web  CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:82/work http.response.status_code=200 ${resource}
trace 2
  orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=82
trace 3
  web    SERVER "GET /call" 300..400 http.request.method=GET url.path=/call id:other ${resource}
    web  CLIENT "GET" 310..390 http.request.method=GET url.full=http://stock:83/s http.response.status_code=200 id:own http.request.header.traceparent=00-<3>-<${recorded}>-01 ${resource}
      stock SERVER "GET /s" 320..380 http.request.method=GET url.path=/s server.port=83
`);
  const [{ id, facts, decide = [] } = { id: null, facts: [] }] = checkTraces(spans).findings;
  assert.equal(id, 'split-trace');
  return { facts, decide: decide[0] ?? '' };
}

const named = 'resource:service.instance.id=one';

describe('calls without a recorded header, of a caller that recorded the headers of other calls', () => {
  it('may be older than the setting, or of another process, if the recorded headers were those that were sent', () => {
    const told =
      'web recorded headers on spans of other requests, but not on these. Either none went out with these requests, or';
    const before = judge('own', named);
    assert.deepEqual(before.facts, [
      `${told} the setting is newer than these spans (all spans with headers are later)`,
    ]);
    assert.match(before.decide, /^Check only calls after the first one of which web recorded a header/);
    const unnamed = judge('own');
    assert.deepEqual(unnamed.facts, [
      `${told} another process of the service made these spans and records no headers (the resource of the spans does not tell the processes apart)`,
    ]);
    assert.match(unnamed.decide, /^Let the resource of web name its process/);
  });

  it('say nothing about calls beside them that recorded it', () => {
    const draw = (at: number, trace: number, recorded: string) => `trace ${trace}
  web    SERVER "GET /call" ${at}..${at + 100} http.request.method=GET url.path=/call
    web  CLIENT "GET" ${at + 10}..${at + 90} http.request.method=GET url.full=http://orders:82/work http.response.status_code=200 id:own${trace} ${recorded}
trace ${trace + 1}
  orders SERVER "GET /work" ${at + 20}..${at + 80} http.request.method=GET url.path=/work server.port=82
`;
    const own = (trace: number) => `http.request.header.traceparent=00-<${trace}>-<own${trace}>-01`;
    const listFacts = (...drawn: readonly string[]) => {
      const [finding] = checkTraces(readDrawing(drawn.join('')).spans).findings;
      return [finding?.count, finding?.facts];
    };
    assert.deepEqual(listFacts(draw(0, 1, ''), draw(1000, 3, own(3))), [2, undefined]);
    assert.deepEqual(listFacts(draw(0, 1, own(1)), draw(1000, 3, own(3))), [
      2,
      ['web recorded a traceparent of its own on all of these calls: it sent the header'],
    ]);
  });

  it('say nothing if headers may have been recorded before injection', () => {
    for (const resource of ['', named]) {
      const { facts, decide } = judge('other', resource);
      assert.equal(facts, undefined);
      assert.doesNotMatch(decide, /name its process|before the setting/);
    }
  });
});
