import type { HeaderField, WireContext, WireRecord } from '../headers/evidence.ts';
import { mcpMethod } from '../headers/mcp-record.ts';
import { isPropagationHeader } from '../headers/propagation-header.ts';
import { readWireContext } from '../headers/read-wire-context.ts';

/** More is no ordinary call of a tool, and is passed on unread. */
const maxBodyBytes = 1024 * 1024;

/** One message of a request's body, with the context in its `params._meta`. */
export interface McpMessage {
  /** As the record's path says it: `tools/call get_weather`. */
  readonly name: string;
  readonly context: WireContext;
}

/** Keeps a copy of a body while it passes. */
export interface McpBody {
  take(chunk: Buffer): void;
  /** Of a body that is whole, not too long, and JSON-RPC. Then its bytes are given back: an answer may be a stream of hours. */
  readMessages(): readonly McpMessage[];
}

/**
 * A body to copy, where the request is one of MCP's streamable HTTP: a POST of JSON whose client takes a stream as the answer
 * (MCP specification, "Transports", "Sending Messages to the Server"); otherwise null.
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

/** Longer names are of nobody's tools. */
const mostCharacters = 200;
/** Each makes a record. Since version 2025-06-18 MCP knows no batches, and before they were of a few messages. */
const mostMessages = 100;

/** Null of a text that is no JSON: the caller has cut it short, or its rest has not come yet. */
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
    // Names of other methods may be of persons.
    const isNamed = /^(?:tools\/call|prompts\/get)$/.test(message.method) && typeof params.name === 'string';
    const name = isNamed ? `${message.method} ${params.name}` : message.method;
    return [{ name: name.slice(0, mostCharacters), context: readWireContext(listFields(params._meta)) }];
  });
}

/** Source: SEP-414: `traceparent`, `tracestate` and `baggage`, without a prefix; propagators write other formats alike. */
function listFields(meta: unknown): readonly HeaderField[] {
  return Object.entries(isObject(meta) ? meta : {}).flatMap(([name, value]) =>
    typeof value === 'string' && isPropagationHeader(name) ? [{ name, value }] : [],
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The record of a message: that of its request, with what `params._meta` held. Faults are of headers, and change no body. */
export function recordMessage(request: WireRecord, { name, context }: McpMessage): WireRecord {
  const received = request.received === null ? null : context;
  return { ...request, method: mcpMethod, path: name, sent: context, received, answered: null, faults: [] };
}
