import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findHeaderSetting, headerSettings } from '../../src/rules/header-settings.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

const [drawn] = drawTrace('CLIENT service-a GET  a2  5..25');
assert.ok(drawn);
const base: Span = drawn;

const rows = [
  ['nodejs', 'SERVER', '@opentelemetry/instrumentation-http', /server: \{ requestHeaders: \['traceparent'/],
  ['nodejs', 'CLIENT', '@opentelemetry/instrumentation-http', /client: \{ requestHeaders: \['traceparent'/],
  [
    'nodejs',
    'CLIENT',
    '@opentelemetry/instrumentation-undici',
    /^headersToSpanAttributes: \{ requestHeaders/,
  ],
  ['nodejs', 'SERVER', '@opentelemetry/instrumentation-grpc', /^metadataToSpanAttributes: \{ server/],
  [
    'java',
    'SERVER',
    'io.opentelemetry.tomcat-10.0',
    /^OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=t/,
  ],
  [
    'python',
    'SERVER',
    'opentelemetry.instrumentation.flask',
    /^OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=t/,
  ],
  [
    'dotnet',
    'SERVER',
    'Microsoft.AspNetCore',
    /^OTEL_DOTNET_AUTO_TRACES_ASPNETCORE_INSTRUMENTATION_CAPTURE_REQUEST_HEADERS=t/,
  ],
  [
    'ruby',
    'SERVER',
    'OpenTelemetry::Instrumentation::Rack',
    /^OTEL_RUBY_INSTRUMENTATION_RACK_CONFIG_OPTS="allowed_request_headers=t/,
  ],
  ['php', 'CLIENT', 'io.opentelemetry.contrib.php.curl', /^OTEL_PHP_INSTRUMENTATION_HTTP_REQUEST_HEADERS=t/],
] as const;

suite('the setting that records headers', () => {
  for (const [language, kind, scopeName, setting] of rows) {
    test(`${language}, ${kind} of ${scopeName}`, () => {
      assert.match(findHeaderSetting(makeSpan(kind, scopeName, language)) ?? '', setting);
      // Jaeger's own JSON lacks the language of some SDKs.
      assert.match(findHeaderSetting(makeSpan(kind, scopeName)) ?? '', setting);
      assert.equal(findHeaderSetting(makeSpan(kind, scopeName, 'erlang')), null);
    });
  }

  test('.NET, which configures the SDK in code: a hook of the package', () => {
    for (const scopeName of ['Microsoft.AspNetCore', 'OpenTelemetry.Instrumentation.AspNetCore']) {
      const span = makeSpan('SERVER', scopeName, 'dotnet');
      const resource = new Map([['telemetry.sdk.language', 'dotnet']]);
      assert.match(findHeaderSetting({ ...span, resource }) ?? '', /^o\.EnrichWithHttpRequest = /);
    }
  });

  test('every row of the table is tested', () => assert.equal(headerSettings.length, rows.length + 1));

  for (const [why, kind, scopeName] of [
    ['Java records calls before it injects', 'CLIENT', 'io.opentelemetry.java-http-client'],
    ['Python records calls before it injects', 'CLIENT', 'opentelemetry.instrumentation.requests'],
    ['PHP is not taken for Java', 'SERVER', 'io.opentelemetry.contrib.php.slim'],
    ['Go has none', 'SERVER', 'go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp'],
  ] as const) {
    test(`none: ${why}`, () => assert.equal(findHeaderSetting(makeSpan(kind, scopeName)), null));
  }

  test('none for a service that already records headers', () => {
    const span = makeSpan('SERVER', '@opentelemetry/instrumentation-http', 'nodejs');
    const attributes = new Map([['http.request.header.traceparent', '[]']]);
    assert.equal(findHeaderSetting({ ...span, attributes }), null);
  });
});

function makeSpan(kind: 'SERVER' | 'CLIENT', scopeName: string, language?: string): Span {
  const resource = new Map(
    Object.entries({
      ...(language === undefined ? {} : { 'telemetry.sdk.language': language }),
      'telemetry.distro.name': 'opentelemetry-dotnet-instrumentation',
    }),
  );
  return { ...base, kind, scopeName, resource };
}
