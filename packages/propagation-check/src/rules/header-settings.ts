import { readCallFacts } from '../calls/call-facts.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import type { Span, SpanKind } from '../span/span.ts';

interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

/** A setting of an instrumentation that records the propagation headers of a request in its span. */
interface HeaderSetting {
  /** Resource attribute `telemetry.sdk.language`. */
  readonly language: string;
  /** The kind of the span. A SERVER span records the headers that arrived, a CLIENT span those that were sent. */
  readonly kind: SpanKind;
  /** The name of the instrumentation scope. */
  readonly scope: RegExp;
  /** Resource attribute `telemetry.distro.name`, if only that distribution has the setting. */
  readonly distribution?: string;
  /** The setting and where it belongs, or an environment variable, which `exec` sets itself. */
  readonly set: string | EnvironmentVariable;
}

/** Enough to distinguish W3C Trace Context from B3. More names do no harm. */
const names = ['traceparent', 'b3', 'x-b3-traceid'];
const listed = names.join(',');
const quoted = `[${names.map((name) => `'${name}'`).join(', ')}]`;

/**
 * Each row comes from the source that it names. A missing language or side has no such setting, or records the headers of a call before the
 * instrumentation writes its own, which shows nothing: the CLIENT side of the Java agent (`HttpCommonAttributesExtractor.java`, `onStart`),
 * of Python (`opentelemetry/instrumentation/requests/__init__.py`), of .NET (dotnet/runtime, `DiagnosticsHandler.cs`), of PHP's PSR-18 and
 * Guzzle, and of JavaScript's gRPC (`instrumentation-grpc/src/instrumentation.ts`); Go's otelhttp and otelgrpc, and Ruby's clients.
 */
export const headerSettings: readonly HeaderSetting[] = [
  {
    // opentelemetry-js, instrumentation-http/src/http.ts: `captureRequestHeaders` in `_onServerRequest`.
    language: 'nodejs',
    kind: 'SERVER',
    scope: /^@opentelemetry\/instrumentation-http$/,
    set: `headersToSpanAttributes: { server: { requestHeaders: ${quoted} } } for @opentelemetry/instrumentation-http`,
  },
  {
    // The same file: the client's headers are read from the sent request when the answer comes.
    language: 'nodejs',
    kind: 'CLIENT',
    scope: /^@opentelemetry\/instrumentation-http$/,
    set: `headersToSpanAttributes: { client: { requestHeaders: ${quoted} } } for @opentelemetry/instrumentation-http`,
  },
  {
    // opentelemetry-js-contrib, instrumentation-undici/src/undici.ts: `onRequestHeaders`, after the injection.
    language: 'nodejs',
    kind: 'CLIENT',
    scope: /^@opentelemetry\/instrumentation-undici$/,
    set: `headersToSpanAttributes: { requestHeaders: ${quoted} } for @opentelemetry/instrumentation-undici`,
  },
  {
    // opentelemetry-js, instrumentation-grpc/src/instrumentation.ts: `captureRequestMetadata` of the server.
    language: 'nodejs',
    kind: 'SERVER',
    scope: /^@opentelemetry\/instrumentation-grpc$/,
    set: `metadataToSpanAttributes: { server: { requestMetadata: ${quoted} } } for @opentelemetry/instrumentation-grpc`,
  },
  {
    // opentelemetry-java-instrumentation, HttpCommonAttributesExtractor.java. gRPC is left out: its setting was renamed.
    language: 'java',
    kind: 'SERVER',
    scope: /^io\.opentelemetry\.(?!contrib\.php|grpc)/,
    set: { name: 'OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS', value: listed },
  },
  {
    // opentelemetry-python-contrib 0.66b1, `__init__.py` of each instrumentation.
    language: 'python',
    kind: 'SERVER',
    scope:
      /^opentelemetry\.instrumentation\.(?:aiohttp_server|asgi|django|falcon|fastapi|flask|pyramid|starlette|tornado|wsgi)\b/,
    set: { name: 'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST', value: listed },
  },
  {
    // opentelemetry-dotnet-instrumentation, Configurations/InstrumentationOptions.cs.
    language: 'dotnet',
    kind: 'SERVER',
    scope: /^Microsoft\.AspNetCore$/,
    distribution: 'opentelemetry-dotnet-instrumentation',
    set: {
      name: 'OTEL_DOTNET_AUTO_TRACES_ASPNETCORE_INSTRUMENTATION_CAPTURE_REQUEST_HEADERS',
      value: listed,
    },
  },
  {
    // opentelemetry-dotnet-contrib, Instrumentation.AspNetCore/README.md, "Enrich": the packages have no variable for headers.
    language: 'dotnet',
    kind: 'SERVER',
    scope: /^(?:Microsoft|OpenTelemetry\.Instrumentation)\.AspNetCore$/,
    set: 'o.EnrichWithHttpRequest = (activity, request) => activity.SetTag("http.request.header.traceparent", request.Headers["traceparent"].ToArray()) in AddAspNetCoreInstrumentation(o => …)',
  },
  {
    // opentelemetry-ruby-contrib, instrumentation/rack/instrumentation.rb; the variable: instrumentation/base.rb.
    language: 'ruby',
    kind: 'SERVER',
    scope: /^OpenTelemetry::Instrumentation::Rack$/,
    set: { name: 'OTEL_RUBY_INSTRUMENTATION_RACK_CONFIG_OPTS', value: `allowed_request_headers=${listed}` },
  },
  {
    // opentelemetry-php-contrib, Curl/src/CurlInstrumentation.php: reads back what libcurl sent.
    language: 'php',
    kind: 'CLIENT',
    scope: /^io\.opentelemetry\.contrib\.php\.curl$/,
    set: { name: 'OTEL_PHP_INSTRUMENTATION_HTTP_REQUEST_HEADERS', value: listed },
  },
];

/** The setting that makes later spans like this one record the headers; null if there is none, or if the span records some already. */
export function findHeaderSetting(span: Span | null): string | null {
  if (span === null || readCallFacts(span).protocol === 'messaging') return null;
  if (readRecordedHeaders(span, 'request').names.length > 0) return null;
  const { kind, resource, scopeName } = span;
  const language = resource.get('telemetry.sdk.language');
  const distribution = resource.get('telemetry.distro.name');
  const found = headerSettings.find(
    (row) =>
      row.kind === kind &&
      row.scope.test(scopeName) &&
      (language === undefined || row.language === language) &&
      (row.distribution === undefined || row.distribution === distribution),
  );
  return found === undefined ? null : describeSetting(found.set);
}

function describeSetting(set: HeaderSetting['set']): string {
  if (typeof set === 'string') return set;
  const { name, value } = set;
  return `${name}=${value.includes('=') ? `"${value}"` : value} (exec sets it)`;
}
