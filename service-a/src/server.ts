/** Listens, and stops so that no answer and no span is lost. */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { buildApp } from './app.ts';
import { type Fault, faults } from './fault.ts';
import { config, sdk, spanExport } from './telemetry.ts';

/** Docker kills 10 s after SIGTERM. What is left of them is for spans that have to be saved. */
const stopMillis = 7_000;
/** The share of the requests in flight; the delivery of the spans has the rest. */
const drainMillis = 4_000;
const saveMillis = 2_000;

const fault: Fault = config.fault === null ? {} : faults[config.fault];
const serviceBUrl = (await fault.stepBetween?.(config.serviceBUrl)) ?? config.serviceBUrl;
const app = buildApp({ ...config, serviceBUrl });

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal, 0));
// The service ends as it would without this, but its spans are not lost with it.
process.on('uncaughtException', (error) => {
  app.log.fatal(error);
  void stop('uncaughtException', 1);
});
// Otherwise the connection of a request in flight stays open, idle, until its client lets go.
app.addHook('onSend', (_request, reply, _payload, done) => {
  if (stopping) reply.header('connection', 'close');
  done();
});

try {
  await app.listen({ host: config.host, port: config.port });
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `service-a: cannot listen on HOST=${config.host} PORT=${config.port} (${reason}); set another HOST or PORT\n`,
  );
  process.exit(2);
}
const [address] = app.addresses();
const port = typeof address === 'object' ? address.port : null;
app.log.info({ port, propagation: config.propagation, fault: config.fault }, 'listening');

/** First the server drains, then spans are delivered, then what is left is saved: the other way round, spans are lost. */
async function stop(reason: NodeJS.Signals | 'uncaughtException', exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  const deadline = performance.now() + stopMillis;
  app.log.info({ reason }, 'stopping');
  const closing = app.close();
  if (!(await settle('requests in flight are cut off', closing, drainMillis))) {
    app.server.closeAllConnections();
    await settle('spans of requests in flight may be lost', closing, deadline - performance.now());
  }
  // Spans of a request that is cut off end with its connection: at the end of this turn of the event loop, after the server has closed.
  await nextTurn();
  await nextTurn();
  await settle('not all spans are delivered', spanExport?.deliver(), deadline - performance.now());
  await settle('spans may be lost', sdk.shutdown(), saveMillis);
  process.exit(exitCode);
}

/**
 * Waits for the work, but not longer than `millis`; a failure is logged, because the next step must run anyway.
 * @returns Whether the work has come to its end in time.
 */
async function settle(
  consequence: string,
  work: Promise<unknown> | undefined,
  millis: number,
): Promise<boolean> {
  try {
    const late = delay(millis, true);
    if ((await Promise.race([work, late])) !== true) return true;
    app.log.warn(`${consequence}: gave up after ${Math.round(millis)} ms`);
    return false;
  } catch (error) {
    app.log.warn(`${consequence}: ${error instanceof Error ? error.message : String(error)}`);
    return true;
  }
}
