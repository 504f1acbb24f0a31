import { AsyncLocalStorage } from 'node:async_hooks';
import { context } from '@opentelemetry/api';
import type { Fault } from './apply/fault.ts';
import { replaceClientSpans } from './apply/replace-client-spans.ts';

/** A pool keeps the callback of the first request with its active context, and runs the calls of all requests in it. */
export const fault: Fault = {
  where: 'service-a',
  made: 'a callback of the first request makes all calls',
  requests: 8,
  preload: {
    'service-a': () => {
      let enterFirst: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined;
      replaceClientSpans((start) => {
        enterFirst ??= AsyncLocalStorage.snapshot();
        return enterFirst(() => start(context.active()));
      });
    },
  },
};
