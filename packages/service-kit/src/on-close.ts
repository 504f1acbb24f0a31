import { EventEmitter } from 'node:events';

/**
 * Calls `listener` once the emitter has closed; the returned function takes it back. Requests and answers have an `on` of their own
 * under OpenTelemetry, by which each listener runs in the request's context; it costs several microseconds, and nothing here needs it.
 */
export function onClose(emitter: EventEmitter, listener: () => void): () => void {
  EventEmitter.prototype.on.call(emitter, 'close', listener);
  return () => EventEmitter.prototype.off.call(emitter, 'close', listener);
}
