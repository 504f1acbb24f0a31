import type { IncomingMessage } from 'node:http';
import { type Context, createContextKey, type SpanContext } from '@opentelemetry/api';

/** The span that a request's headers name, and whether the request continues its trace. */
export class Caller {
  readonly spanContext: SpanContext;
  readonly isTrusted: boolean;

  constructor(spanContext: SpanContext, isTrusted: boolean) {
    this.spanContext = spanContext;
    this.isTrusted = isTrusted;
  }
}

const callerKey = createContextKey('caller');

export function setCaller(context: Context, caller: Caller): Context {
  return context.setValue(callerKey, caller);
}

/** Of the request that is being served; undefined where its headers name none. */
export function readCaller(context: Context): Caller | undefined {
  const value = context.getValue(callerKey);
  return value instanceof Caller ? value : undefined;
}

/** By the object that holds a request's headers, which is all that a propagator gets to see. */
const addresses = new WeakMap<object, string>();

/** Whoever extracts from a request's headers says first whose they are. */
export function notePeerAddress({ headers, socket }: IncomingMessage): void {
  if (socket.remoteAddress !== undefined) addresses.set(headers, socket.remoteAddress);
}

/** The other end of the connection: unlike a header it cannot be made up. Undefined where nobody noted it. */
export function readPeerAddress(headers: unknown): string | undefined {
  return typeof headers === 'object' && headers !== null ? addresses.get(headers) : undefined;
}
