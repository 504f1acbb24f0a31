import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

it('suspects the callee if only its other replicas have whole calls, whichever attribute names them', () => {
  for (const [key, likeliest] of [
    ['service.instance.id', 'header-ignored'],
    ['k8s.pod.name', 'header-ignored'],
    ['host.name', 'header-ignored'],
    ['telemetry.sdk.name', 'header-stripped'],
  ] as const) {
    const { spans } = readDrawing(`
trace 1
  web      CLIENT "GET" 0..90 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200
    orders SERVER "GET /work" 10..80 http.request.method=GET url.path=/work server.port=80 resource:${key}=one
trace 2
  web      CLIENT "GET" 500..590 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200
trace 3
  orders   SERVER "GET /work" 510..580 http.request.method=GET url.path=/work server.port=80 resource:${key}=two
`);
    const [finding] = checkTraces(spans).findings;
    assert.equal(finding?.candidates?.[0], likeliest, key);
  }
});
