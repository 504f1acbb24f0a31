import { RowSpan } from '../span/row-span.ts';
import type { Span } from '../span/span.ts';
import { readAddress } from './address.ts';
import { type FactSource, readText } from './fact-source.ts';
import { readMethod, readPath, readRoute, readStatusCode, readUserAgent } from './http-facts.ts';
import { readDestination, readMessageId } from './messaging-facts.ts';
import { listFamilies, type Protocol, readProtocol } from './protocol.ts';
import { readRpcMethod } from './rpc-facts.ts';

/**
 * What a span says about its call, read from the attribute names of every generation of the semantic conventions (HTTP before and after
 * 1.23, RPC before and after its stabilisation, messaging, MCP) and of Micrometer's observations (Spring).
 */
export interface CallFacts {
  readonly protocol: Protocol;
  readonly method: string | null;
  /** Path without query, as requested; null where the span has none. */
  readonly path: string | null;
  /** Route template of a SERVER span. */
  readonly route: string | null;
  /** Host of the called service. */
  readonly host: string | null;
  /** Port of the called service. */
  readonly port: number | null;
  /** Fully qualified RPC method `package.Service/Method`. */
  readonly rpcMethod: string | null;
  /** Message destination (topic, queue). */
  readonly destination: string | null;
  /** The message id, set by the broker or the sender; both sides of a call record the same one. */
  readonly messageId: string | null;
  /** HTTP status code. */
  readonly statusCode: number | null;
  readonly userAgent: string | null;
  /** Set for calls of the Model Context Protocol. */
  readonly mcp: McpFacts | null;
}

/** Source: semantic conventions, "Model Context Protocol". Instrumentations always set the method; every other attribute may be missing. */
export interface McpFacts {
  /** The JSON-RPC method: `tools/call`. */
  readonly method: string | null;
  /** The tool or prompt. */
  readonly target: string | null;
  /** Unique within a session. */
  readonly requestId: string | null;
  readonly sessionId: string | null;
}

class KnownFacts {
  readonly facts: CallFacts;

  constructor(facts: CallFacts) {
    this.facts = facts;
  }
}

/** The memo of a graph: views read their facts through `RowFacts`, which shares facts between rows of a class. */
export class FactsOfRows {
  readonly read: (row: number) => CallFacts;

  constructor(read: (row: number) => CallFacts) {
    this.read = read;
  }
}

export function readCallFacts(span: Span): CallFacts {
  if (!(span instanceof RowSpan)) return readFacts(span, readProtocol(span, listFamilies(span)));
  if (span.memo instanceof KnownFacts) return span.memo.facts;
  const ofRows = span.source.memo;
  const facts =
    ofRows instanceof FactsOfRows
      ? ofRows.read(span.row)
      : readFacts(span, readProtocol(span, listFamilies(span)));
  span.memo = new KnownFacts(facts);
  return facts;
}

export function readFacts(span: FactSource, protocol: Protocol): CallFacts {
  const { host, port } = readAddress(span);
  return {
    protocol,
    method: readMethod(span),
    path: readPath(span),
    route: readRoute(span),
    host,
    port,
    rpcMethod: readRpcMethod(span),
    destination: readDestination(span),
    messageId: readMessageId(span),
    statusCode: readStatusCode(span),
    userAgent: readUserAgent(span),
    mcp: protocol === 'mcp' ? readMcp(span) : null,
  };
}

export function readMcp(span: FactSource): McpFacts {
  return {
    method: readText(span, 'mcp.method.name'),
    target: readText(span, 'gen_ai.tool.name', 'gen_ai.prompt.name'),
    requestId: readText(span, 'jsonrpc.request.id'),
    sessionId: readText(span, 'mcp.session.id'),
  };
}
