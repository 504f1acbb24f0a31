import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const load = '@opentelemetry/instrumentation-document-load';

/** A page of `origin` that calls another port than the API listens on, as through a proxy. */
function findIn(origin: string, extra: string, url = 'url.full=http://shop:80/work') {
  const { spans, expectation } = readDrawing(`expect web -> orders
trace 1
  web INTERNAL "documentLoad" 0..5 url.full=${origin}/ scope:${load}
    web INTERNAL "resourceFetch" 1..2 url.full=http://shop/logo.svg scope:${load}
trace 2
  web CLIENT "GET" 10..90 http.request.method=GET url.path=/work ${url} server.port=80 http.response.status_code=200 ${extra}
trace 3
  orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work server.port=8082
`);
  const [finding, ...others] = checkTraces(spans, { expectation }).findings;
  assert.deepEqual(others, []);
  return finding;
}

for (const extra of [
  'resource:telemetry.sdk.language=webjs',
  'scope:@opentelemetry/instrumentation-fetch',
  'scope:@opentelemetry/instrumentation-xml-http-request',
]) {
  test(`of a call to another origin (${extra}) the missing setting is the likeliest cause`, () => {
    const finding = findIn('http://web', extra);
    assert.equal(finding?.candidates?.[0], 'header-not-sent');
    assert.match(
      finding?.fix ?? '',
      /propagateTraceHeaderCorsUrls.*Access-Control-Allow-Headers: traceparent/,
    );
    assert.match(finding?.decide?.[0] ?? '', /network panel/);
  });
}

test("of a call to the page's own origin it is not", () => {
  const finding = findIn('http://shop', 'resource:telemetry.sdk.language=webjs');
  assert.equal(finding?.candidates?.[0], 'header-stripped');
  assert.doesNotMatch(finding?.fix ?? '', /propagateTraceHeaderCorsUrls/);
});

test('of a call or a page with an unknown origin it is not', () => {
  const browser = 'resource:telemetry.sdk.language=webjs';
  assert.equal(findIn('http://web', browser, '')?.candidates?.[0], 'header-stripped');
  assert.equal(findIn('http://web', browser, 'url.full=/work')?.candidates?.[0], 'header-stripped');
  assert.equal(findIn('', browser)?.candidates?.[0], 'header-stripped');
});

test('the other candidates keep their order', () => {
  const usual = findIn('http://shop', 'resource:telemetry.sdk.language=webjs')?.candidates ?? [];
  const { candidates } = findIn('http://web', 'resource:telemetry.sdk.language=webjs') ?? {};
  assert.deepEqual(candidates, ['header-not-sent', ...usual.filter((cause) => cause !== 'header-not-sent')]);
});

test('of a call that was not made in a browser it is not', () => {
  const finding = findIn('http://web', 'resource:telemetry.sdk.language=nodejs');
  assert.equal(finding?.candidates?.[0], 'header-stripped');
  assert.doesNotMatch(finding?.decide?.join() ?? '', /network panel/);
});

test('a request that the browser refused breaks no edge, and the report names CORS', () => {
  const { spans, expectation } = readDrawing(`expect web -> orders
trace 1
  web CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082/work http.response.status_code=0
trace 2
  orders SERVER "OPTIONS" 20..80 http.request.method=OPTIONS url.path=/work http.response.status_code=204
`);
  const { verdict, findings } = checkTraces(spans, { expectation });
  assert.equal(verdict, 'unknown');
  assert.match(findings[0]?.evidence[0]?.says ?? '', /status 0.*preflight.*traceparent/);
});
