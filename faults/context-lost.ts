import { AsyncLocalStorage } from 'node:async_hooks';
import { context } from '@opentelemetry/api';
import type { Fault } from './apply/fault.ts';
import { replaceClientSpans } from './apply/replace-client-spans.ts';

/** The call is made by a worker that began before the request and serves them all: no span is active there. */
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
