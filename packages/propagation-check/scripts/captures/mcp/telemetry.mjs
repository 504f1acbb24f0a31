/**
 * OpenTelemetry for both sides. No published package for the TypeScript SDK both makes spans according to the semantic conventions for MCP
 * and propagates context: `withSpan` makes the spans, and OpenInference propagates context in `params._meta`.
 */
import { createRequire } from 'node:module';
import { MCPInstrumentation } from '@arizeai/openinference-instrumentation-mcp';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  instrumentations:
    process.env.HTTP_SPANS === 'on' ? [new HttpInstrumentation(), new UndiciInstrumentation()] : [],
});
sdk.start();

const load = createRequire(import.meta.url);
/** The parts of the SDK for MCP, once its instrumentation has patched them. */
export const mcp = {
  ...load('@modelcontextprotocol/sdk/client/index.js'),
  ...load('@modelcontextprotocol/sdk/client/stdio.js'),
  ...load('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  ...load('@modelcontextprotocol/sdk/server/mcp.js'),
  ...load('@modelcontextprotocol/sdk/server/stdio.js'),
  ...load('@modelcontextprotocol/sdk/server/streamableHttp.js'),
};
if (process.env.MCP_CONTEXT !== 'off') {
  new MCPInstrumentation().manuallyInstrument({
    clientStdioModule: load('@modelcontextprotocol/sdk/client/stdio.js'),
    clientStreamableHTTPModule: load('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    serverStdioModule: load('@modelcontextprotocol/sdk/server/stdio.js'),
    serverStreamableHTTPModule: load('@modelcontextprotocol/sdk/server/streamableHttp.js'),
  });
}

const tracer = trace.getTracer('agent-tools');

export function withTurn(work) {
  return tracer.startActiveSpan('invoke_agent', (span) => work().finally(() => span.end()));
}

/** A span of a tool call, on the client's or the server's side. */
export function withToolSpan(side, { tool, requestId, sessionId }, work) {
  const attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    ...(requestId === undefined ? {} : { 'jsonrpc.request.id': String(requestId) }),
    ...(sessionId === undefined ? {} : { 'mcp.session.id': sessionId }),
    'network.transport': process.env.MCP_URL || process.env.PORT ? 'tcp' : 'pipe',
  };
  const kind = side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER;
  return tracer.startActiveSpan(`tools/call ${tool}`, { kind, attributes }, (span) =>
    work()
      .catch((error) => {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      })
      .finally(() => span.end()),
  );
}

export function stopTelemetry() {
  return sdk.shutdown();
}
