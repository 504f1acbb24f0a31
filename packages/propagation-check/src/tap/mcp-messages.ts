import type { HeaderField, WireContext, WireRecord } from '../headers/evidence.ts';
import { mcpMethod } from '../headers/mcp-record.ts';
import { isPropagationHeader } from '../headers/propagation-header.ts';
import { readWireContext } from '../headers/read-wire-context.ts';

/** A larger body is not an ordinary tool call, and is not read. */
const maxBodyBytes = 1024 * 1024;

/** A JSON-RPC message in a request body, with the context in its `params._meta`. */
export interface McpMessage {
  /** The path of its record: `tools/call get_weather`. */
  readonly name: string;
  readonly context: WireContext;
}

/** Copies a body while it passes. */
export interface McpBody {
  take(chunk: Buffer): void;
  /** The messages of a body that is complete, not too large, and JSON-RPC. Releases the copy: an answer may stream for hours. */
  readMessages(): readonly McpMessage[];
}

/**
 * Copies the body of a request of MCP's streamable HTTP: a POST of JSON whose client accepts a stream as the answer
 * (MCP specification, "Transports", "Sending Messages to the Server"). Null for other requests.
 */
export function openMcpBody(method: string, fields: readonly HeaderField[]): McpBody | null {
  const readField = (name: string): string =>
    fields
      .filter((field) => field.name.toLowerCase() === name)
      .map(({ value }) => value.toLowerCase())
      .join(',');
  const isMcp =
    method === 'POST' &&
    readField('content-type').startsWith('application/json') &&
    readField('content-encoding') === '' &&
    readField('accept').includes('text/event-stream');
  return isMcp ? createBody() : null;
}

function createBody(): McpBody {
  let chunks: Buffer[] = [];
  let length = 0;
  let messages: readonly McpMessage[] | null = null;
  return {
    take(chunk) {
      length += chunk.length;
      if (length > maxBodyBytes) chunks = [];
      else chunks.push(chunk);
    },
    readMessages() {
      if (messages !== null || length > maxBodyBytes) return messages ?? [];
      messages = parseMessages(Buffer.concat(chunks).toString());
      if (messages !== null) chunks = [];
      return messages ?? [];
    },
  };
}

/** No tool has a longer name. */
const mostCharacters = 200;
/** Each message makes a record. Batches, which MCP removed in version 2025-06-18, had a few messages. */
const mostMessages = 100;

/** Null where the text is not JSON: the body is truncated or not yet complete. */
function parseMessages(text: string): readonly McpMessage[] | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  return (Array.isArray(body) ? body.slice(0, mostMessages) : [body]).flatMap((message: unknown) => {
    if (!isObject(message) || message.jsonrpc !== '2.0' || typeof message.method !== 'string') return [];
    const params = isObject(message.params) ? message.params : {};
    // The names of other methods may be names of persons.
    const isNamed = /^(?:tools\/call|prompts\/get)$/.test(message.method) && typeof params.name === 'string';
    const name = isNamed ? `${message.method} ${params.name}` : message.method;
    return [{ name: name.slice(0, mostCharacters), context: readWireContext(listFields(params._meta)) }];
  });
}

/** Source: SEP-414: `traceparent`, `tracestate` and `baggage`, without a prefix. Propagators write headers of other formats in the same way. */
function listFields(meta: unknown): readonly HeaderField[] {
  return Object.entries(isObject(meta) ? meta : {}).flatMap(([name, value]) =>
    typeof value === 'string' && isPropagationHeader(name) ? [{ name, value }] : [],
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The record of a message: that of its request, with the context of `params._meta`. Faults change only headers, never a body. */
export function recordMessage(request: WireRecord, { name, context }: McpMessage): WireRecord {
  const received = request.received === null ? null : context;
  return { ...request, method: mcpMethod, path: name, sent: context, received, answered: null, faults: [] };
}
