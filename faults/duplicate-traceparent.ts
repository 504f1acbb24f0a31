import { context, propagation } from '@opentelemetry/api';
import type { Fault } from './apply/fault.ts';

/** A wrapper around `fetch` injects headers, and so does the instrumentation or the code that calls `fetch`. */
export const fault: Fault = {
  where: 'service-a',
  made: 'a wrapper around `fetch` injects once more',
  wrapsFetch: true,
  preload: { 'service-a': injectOnceMore },
};

function injectOnceMore(): void {
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    propagation.inject(context.active(), headers, {
      set: (carrier, name, value) => carrier.append(name, value),
    });
    return fetch(input, { ...init, headers });
  };
}
