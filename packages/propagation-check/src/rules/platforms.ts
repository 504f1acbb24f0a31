import { readCallFacts } from '../calls/call-facts.ts';
import { isLoopback } from '../calls/inside.ts';
import { isOfTemporal, readInvokedFunction } from '../calls/invocations.ts';
import { readConnectionPeers } from '../headers/place.ts';
import type { PairSides } from '../pairing/pair-spans.ts';
import type { AttributeValue, Span } from '../span/span.ts';
import type { Draft, Shown } from './draft.ts';
import type { FindingId } from './finding.ts';
import { moveToFront } from './split-causes.ts';

/** A product between two services that affects trace context: it makes spans that stay with its vendor, or does not propagate context. */
export interface Platform {
  /** Whether the attributes of the call show the product between the two services. */
  readonly isBetween: (call: Shown) => boolean;
  /** The product gives each request a parent span that stays with the vendor. */
  readonly isFrontEnd?: true;
  /** This cause is ranked first if it is a candidate. */
  readonly likeliest?: FindingId;
  /** The fix for each cause, in the product's own terms. */
  readonly fixes: { readonly [Id in FindingId]?: string };
}

const lambda =
  'API Gateway and Lambda put X-Ray segments between the two, which go only to X-Ray. Let the function continue the traceparent of its event: OTEL_PROPAGATORS=tracecontext,baggage without xray and xray-lambda, in .NET DisableAwsXRayContextExtraction; or set active tracing to PassThrough.';
const invoke =
  'An Invoke of Lambda has no headers for the function. For synchronous invocations, write traceparent into custom of ClientContext (the instrumentation of the AWS SDK for JavaScript does), and let the function read it from context.clientContext.custom, for example with eventContextExtractor. Lambda drops ClientContext of asynchronous invocations (InvocationType Event): write traceparent into the payload.';
const temporal =
  'Register the OpenTelemetry interceptor of the Temporal SDK on the client and on the worker, with the same header key and the same propagator, and let codecs of payloads leave the header as it is.';
const cloudRun =
  "Google's front end makes a span of its own in Cloud Trace and writes it into traceparent and X-Cloud-Trace-Context, which cannot be switched off. Send your spans to Cloud Trace too, or let both services use a header that it leaves alone: OTEL_PROPAGATORS=b3multi,baggage.";
const azure =
  'The Functions host, App Service and API Management write spans of their own, which go only to Application Insights, into traceparent. Export those of the host ("telemetryMode": "OpenTelemetry" in host.json); set httpCorrelationProtocol to None in API Management, and switch the auto-instrumentation of App Service off.';
const mesh =
  'Sidecars and gateways of a mesh write spans of their own into traceparent. Export them to the same place: for Istio a Telemetry resource without disableSpanReporting whose provider sends to your Collector, with randomSamplingPercentage: 100; for Linkerd proxy.tracing.enabled and proxy.tracing.collector.endpoint. Or switch tracing off in the mesh.';
const envoy =
  "Envoy's Zipkin tracer writes only b3 and forwards traceparent unchanged: use its OpenTelemetry tracer (for Istio an extensionProvider of type opentelemetry), or trace_context_option: USE_B3_WITH_W3C_PROPAGATION.";
const dapr =
  'The Dapr sidecar writes a traceparent of its own, of only zeros where it does not trace: set spec.tracing.samplingRate to "1" in the Dapr Configuration of both applications, and send its spans (otel.endpointAddress) to the same place.';
const workers =
  'Workers tracing exchanges no trace ids with services outside of Cloudflare (Workers documentation, "Known limitations"). In the Worker, read and write traceparent by hand, or make its spans with @microlabs/otel-cf-workers.';
const nginx =
  'nginx makes a span of each request and joins it to nothing (otel_trace_context ignore, the default), or begins a trace with each (inject): set otel_trace_context propagate beside otel_trace on.';

/**
 * The first entry that fits is used. Sources: AWS, "AWS X-Ray tracing header" and opentelemetry-dotnet-contrib, Instrumentation.AWSLambda;
 * elastic/apm#609 and Google Cloud, "Use distributed tracing" (Cloud Run); Microsoft, "Use OpenTelemetry with Azure Functions",
 * `HttpCorrelationProtocol` (API Management) and opentelemetry-js#3057 (App Service); Istio, "Telemetry"; Envoy, `ZipkinConfig`; Linkerd,
 * "Distributed tracing"; microsoft/azure-container-apps#556 and Dapr, "Configuration overview"; Cloudflare, "Spans and attributes" and
 * "Known limitations"; nginx, "Module ngx_otel_module", and `src/batch_exporter.hpp` of nginx-otel for its scope.
 */
export const platforms: readonly Platform[] = [
  {
    isBetween: isInvocation,
    fixes: { 'header-not-sent': invoke, 'header-ignored': invoke },
  },
  {
    isBetween: startsWorkflow,
    fixes: { 'header-not-sent': temporal, 'header-ignored': temporal, 'format-mismatch': temporal },
  },
  {
    isBetween: ({ server }) => server !== null && isOfNginx(server),
    likeliest: 'header-ignored',
    fixes: { 'header-ignored': nginx },
  },
  {
    isBetween: isSentByNginx,
    likeliest: 'header-not-sent',
    fixes: { 'header-not-sent': nginx, 'header-passed-through': nginx },
  },
  {
    isBetween: ({ client }) => isOn(client, /cloudflare/),
    likeliest: 'header-not-sent',
    fixes: { 'header-not-sent': workers, 'client-not-instrumented': workers },
  },
  {
    isBetween: ({ server }) => isOn(server, /cloudflare/),
    likeliest: 'header-ignored',
    fixes: { 'header-ignored': workers },
  },
  {
    isBetween: ({ client, server }) =>
      hasHost(client, /\.execute-api\.[a-z\d-]+\.amazonaws\.com$|\.lambda-url\.[a-z\d-]+\.on\.aws$/) ||
      (isOn(server, /aws/) && server?.attributes.get('faas.trigger') === 'http'),
    isFrontEnd: true,
    fixes: { 'header-rewritten': lambda, 'header-ignored': lambda, 'external-parent': lambda },
  },
  {
    isBetween: ({ client, server }) =>
      hasHost(client, /\.(?:run\.app|cloudfunctions\.net|appspot\.com)$/) ||
      isOn(server, /gcp[_.](?:cloud_run|cloud_functions|app_engine)/),
    isFrontEnd: true,
    fixes: { 'header-rewritten': cloudRun, 'external-parent': cloudRun },
  },
  {
    isBetween: ({ client, server }) =>
      hasHost(client, /\.(?:azurewebsites\.net|azure-api\.net|azurefd\.net)$/) ||
      isOn(server, /azure[_.](?:functions|app_service)/),
    isFrontEnd: true,
    fixes: { 'header-rewritten': azure, 'external-parent': azure },
  },
  {
    isBetween: ({ client }) => client !== null && readCallFacts(client).port === daprPort && isOfDapr(client),
    likeliest: 'header-malformed',
    fixes: { 'header-malformed': dapr, 'header-rewritten': dapr },
  },
  {
    isBetween: ({ client }) => client !== null && isOfEnvoy(client),
    fixes: { 'header-passed-through': envoy, 'header-rewritten': mesh },
  },
  {
    isBetween: ({ server }) =>
      server !== null && readConnectionPeers(server).some((peer) => peer.startsWith(istioInbound)),
    fixes: { 'header-rewritten': mesh },
  },
  {
    // A Kubernetes cluster may have no mesh, so this entry comes last.
    isBetween: ({ client, server }) =>
      hasHost(client, /\.svc(?:\.cluster\.local)?$/) || server?.resource.has('k8s.pod.name') === true,
    fixes: { 'header-rewritten': mesh },
  },
];

export const nginxScope = 'nginx';
/** The default HTTP port of the sidecar. Source: Dapr, "dapr-http-port". */
const daprPort = 3_500;
/** The address from which Istio's sidecar calls its own application. Source: Istio, "Traffic routing", `InboundPassthroughClusterIpv4`. */
const istioInbound = '127.0.0.6:';

export function isOfNginx({ scopeName }: Span): boolean {
  return scopeName === nginxScope;
}

export function isSentByNginx({ client, during }: Shown): boolean {
  const span = client ?? during;
  return span !== undefined && isOfNginx(span);
}

/** Envoy sets this attribute with every tracer. */
function isOfEnvoy({ attributes }: Span): boolean {
  return attributes.get('component') === 'proxy';
}

/** Whether a proxy made the span: it forwards requests, and may rewrite their paths. Source of the last scope: traefik, `pkg/tracing`. */
export function isOfProxy(span: Span): boolean {
  return isOfEnvoy(span) || isOfNginx(span) || span.scopeName === 'github.com/traefik/traefik';
}

/** Whether the call invokes a function by the API of AWS. */
export function isInvocation({ client }: Shown): boolean {
  return client !== null && readInvokedFunction(client) !== null;
}

export function startsWorkflow({ client }: Shown): boolean {
  return client !== null && isOfTemporal(client);
}

/** The product that the attributes of the calls name; null if none. */
function findPlatform({ shown }: Draft): Platform | null {
  return platforms.find(({ isBetween }) => shown.some(isBetween)) ?? null;
}

/** The fix for a cause on the product that the attributes of the calls name; null if there is none. */
export function findPlatformFix(draft: Draft, cause: FindingId): string | null {
  const isKnown = platforms.some(({ fixes }) => cause in fixes);
  return isKnown ? (findPlatform(draft)?.fixes[cause] ?? null) : null;
}

/** Whether both sides name one product that gives each request a parent span of its own. */
export function isBehindFrontEnd({ client, server }: PairSides): boolean {
  return platforms.some(
    ({ isFrontEnd, isBetween }) =>
      isFrontEnd === true &&
      isBetween({ client, server: null, says: '' }) &&
      isBetween({ client: null, server, says: '' }),
  );
}

/** Ranks a cause first if the calls involve a product that is known for it. */
export function rankByPlatform(draft: Draft): Draft {
  const { candidates = [], shown } = draft;
  // Only these few products matter here, and nearly always none stands between the services.
  const { likeliest } =
    platforms.find(
      ({ likeliest, isBetween }) =>
        likeliest !== undefined && candidates.includes(likeliest) && shown.some(isBetween),
    ) ?? {};
  return likeliest === undefined ? draft : { ...draft, candidates: moveToFront(candidates, likeliest) };
}

function hasHost(client: Span | null, pattern: RegExp): boolean {
  return client !== null && pattern.test(readCallFacts(client).host?.toLowerCase() ?? '');
}

/** Without the resource detector of the platform, only the provider is known. */
function isOn(span: Span | null, platform: RegExp): boolean {
  if (span === null) return false;
  const { resource } = span;
  return (
    matches(resource.get('cloud.platform'), platform) || matches(resource.get('cloud.provider'), platform)
  );
}

function matches(value: AttributeValue | undefined, platform: RegExp): boolean {
  return value !== undefined && platform.test(String(value));
}

function isOfDapr(client: Span): boolean {
  return isLoopback(readCallFacts(client).host ?? '');
}
