import { isUnconnected } from '../calls/unconnected.ts';
import { describeHopFix } from './dark-hop.ts';
import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import { findings } from './findings.ts';
import { findPlatformFix } from './platforms.ts';

/** Fixes for a protocol or runtime other than an HTTP server's. The first row that fits and has the cause is used. */
interface Surroundings {
  readonly fits: (draft: Draft) => boolean;
  readonly fixes: { readonly [Id in FindingId]?: string };
}

const surroundings: readonly Surroundings[] = [
  {
    fits: ({ shown }) =>
      shown.length > 0 && shown.every(({ client }) => client !== null && isUnconnected(client)),
    fixes: {
      'missing-server':
        'Start the called service, or correct the address that the caller uses, and check again.',
    },
  },
  {
    // Source: @opentelemetry/auto-instrumentations-node, `getResourceDetectorsFromEnv`: the detector `env` reads the name.
    fits: ({ shown }) =>
      shown.some(({ server }) => server?.resource.get('telemetry.sdk.language') === 'nodejs'),
    fixes: {
      'service-unnamed':
        'Set OTEL_SERVICE_NAME (or service.name in OTEL_RESOURCE_ATTRIBUTES). If it is set: OTEL_NODE_RESOURCE_DETECTORS must name env (or be unset), because that detector reads the name.',
    },
  },
  {
    // Sources: SEP-414; mcp 2.3.0 (Python), `mcp/shared/jsonrpc_dispatcher.py` and `mcp/server/_otel.py`; OpenInference's `mcp.ts`.
    fits: isOfMcp,
    fixes: {
      'header-not-sent':
        'Write the context into `params._meta` of every JSON-RPC request (`traceparent`, `tracestate`, `baggage`; SEP-414): the Python SDK does so itself unless OTEL_PROPAGATORS forbids it, the TypeScript SDK with @arizeai/openinference-instrumentation-mcp on the client.',
      'client-not-instrumented':
        'Instrument the MCP client of the caller, so that it makes a CLIENT span of each request and writes its context into `params._meta` (SEP-414): the Python SDK does so itself.',
      'server-not-instrumented':
        'Instrument the MCP server: HTTP spans do not read `params._meta`. Or instrument the HTTP client of the caller, which then carries the context in headers.',
      'header-stripped':
        'Let every MCP gateway and proxy between the two forward `params._meta` of each JSON-RPC request unchanged.',
      'header-ignored':
        'Extract the context from `params._meta` of each JSON-RPC request before its SERVER span starts, with a propagator that reads tracecontext; for the TypeScript SDK with @arizeai/openinference-instrumentation-mcp on the server.',
    },
  },
  {
    // Source: opentelemetry-js, web-common `shouldPropagateTraceHeaders`: the page's own origin, and the addresses that the setting names.
    fits: isFromBrowser,
    fixes: {
      'header-not-sent':
        'Name the address of the called service in `propagateTraceHeaderCorsUrls` of the fetch and XMLHttpRequest instrumentations: without it the header goes only to the page\'s own origin. Let the service answer the preflight with "Access-Control-Allow-Headers: traceparent, tracestate" (and baggage where it is used), or the browser refuses the request.',
    },
  },
];

/** One line: what to change. If the cause is undecided, the fix for the likeliest candidate, marked as such. */
export function describeFix(draft: Draft): string {
  const best = draft.candidates?.[0];
  return best === undefined ? fixOf(draft, draft.id) : `if ${best}: ${fixOf(draft, best)}`;
}

const lostSpans: readonly FindingId[] = ['client-span-lost', 'server-span-lost'];

function fixOf(draft: Draft, cause: FindingId): string {
  const { fix, ofMessages } = findings[cause];
  if (draft.hop !== undefined && lostSpans.includes(cause)) return describeHopFix(draft.hop);
  const own =
    draft.protocol === 'messaging'
      ? ofMessages?.fix
      : surroundings.find(({ fits, fixes }) => cause in fixes && fits(draft))?.fixes[cause];
  return own ?? findPlatformFix(draft, cause) ?? fix;
}

export function isOfMcp({ protocol }: Draft): boolean {
  return protocol === 'mcp';
}

const browserScope = /^@opentelemetry\/instrumentation-(?:fetch|xml-http-request)$/;

/** If the resource of the web SDK was replaced, it does not name the language. These instrumentations exist only for browsers. */
export function isFromBrowser({ shown }: Draft): boolean {
  return shown.some(
    ({ client }) =>
      client !== null &&
      (client.resource.get('telemetry.sdk.language') === 'webjs' || browserScope.test(client.scopeName)),
  );
}
