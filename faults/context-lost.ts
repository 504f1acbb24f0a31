import { AsyncLocalStorage } from 'node:async_hooks';
import { context } from '@opentelemetry/api';
import type { Fault } from './apply/fault.ts';
import { replaceClientSpans } from './apply/replace-client-spans.ts';

/** A worker that started before the first request makes the calls of all requests, so no span is active in it. */
export const fault: Fault = {
  where: 'service-a',
  made: 'a worker that began before the request makes the call',
  preload: {
    'service-a': () => {
      const enterWorker = AsyncLocalStorage.snapshot();
      replaceClientSpans((start) => enterWorker(() => start(context.active())));
    },
  },
};
