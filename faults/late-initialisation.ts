import { InstrumentationBase } from '@opentelemetry/instrumentation';
import { changeFastify } from './apply/change-fastify.ts';
import type { Fault } from './apply/fault.ts';

/** OpenTelemetry starts asynchronously, and the service does not wait for it. */
export const fault: Fault = {
  where: 'service-b',
  made: 'instruments when Fastify listens already',
  modes: ['auto'],
  preload: { 'service-b': delayInstrumentations },
};

function delayInstrumentations(): void {
  const { prototype } = InstrumentationBase;
  const { enable } = prototype;
  const waiting: InstrumentationBase[] = [];
  prototype.enable = function delayEnabling() {
    waiting.push(this);
  };
  changeFastify((app) => {
    app.addHook('onListen', (done) => {
      prototype.enable = enable;
      for (const instrumentation of waiting) instrumentation.enable();
      done();
    });
  });
}
