/** Listens, and stops so that no answer and no span is lost. */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { TrustBoundary } from 'otel-trust-boundary';
import type { ServiceConfig } from './config.ts';

/** Docker kills 10 s after SIGTERM. `saveMillis` comes on top of this. */
const stopMillis = 7_000;
/** The share of the requests in flight; the delivery of the spans has the rest. */
const drainMillis = 4_000;
const saveMillis = 2_000;

/** The exports of a service's `telemetry.ts`. */
export interface Telemetry {
  readonly config: Pick<ServiceConfig, 'name' | 'host' | 'port' | 'propagation'>;
  readonly boundary: Pick<TrustBoundary, 'fastify'>;
  /** Flushed one after the other, until every span that has ended is delivered. */
  readonly flushed: readonly { forceFlush(): Promise<void> }[];
  /** Its shutdown saves the spans that are not. */
  readonly sdk: { shutdown(): Promise<void> };
}

/** Runs the service until SIGTERM or SIGINT. A port that is taken ends the process with one line on stderr and exit code 2. */
export async function serve(app: FastifyInstance, telemetry: Telemetry): Promise<void> {
  const { name, host, port, propagation } = telemetry.config;
  app.register(telemetry.boundary.fastify);
  let isStopping = false;
  const stop = async (reason: NodeJS.Signals | 'uncaughtException', exitCode: number) => {
    if (isStopping) return;
    isStopping = true;
    app.log.info({ reason }, 'stopping');
    await drain(app, telemetry);
    process.exit(exitCode);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal, 0));
  // The service ends as it would without this, but its spans are not lost with it.
  process.on('uncaughtException', (error) => {
    app.log.fatal(error);
    void stop('uncaughtException', 1);
  });
  // Otherwise the connection of a request in flight stays open, idle, until its client lets go.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isStopping) reply.header('connection', 'close');
    done();
  });

  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `${name}: cannot listen on HOST=${host} PORT=${port} (${reason}); set another HOST or PORT\n`,
    );
    process.exit(2);
  }
  const [address] = app.addresses();
  const listeningPort = typeof address === 'object' ? address.port : null;
  app.log.info({ port: listeningPort, propagation }, 'listening');
}

/** The order matters: the server drains, spans are delivered, the rest is saved. Any other order loses spans. */
async function drain(app: FastifyInstance, telemetry: Telemetry): Promise<void> {
  const deadline = performance.now() + stopMillis;
  const closing = app.close();
  if (!(await settle(app, 'requests in flight are cut off', closing, drainMillis))) {
    app.server.closeAllConnections();
    await settle(app, 'spans of requests in flight may be lost', closing, deadline - performance.now());
  }
  // Spans of a request that is cut off end with its connection: at the end of this turn of the event loop, after the server has closed.
  await nextTurn();
  await nextTurn();
  await settle(app, 'not all spans are delivered', deliver(telemetry), deadline - performance.now());
  await settle(app, 'spans may be lost', telemetry.sdk.shutdown(), saveMillis);
}

async function deliver({ flushed }: Telemetry): Promise<void> {
  for (const each of flushed) await each.forceFlush();
}

/**
 * Waits for the work, but not longer than `millis`; a failure is logged, because the next step must run anyway.
 * @returns Whether the work has come to its end in time.
 */
async function settle(
  { log }: FastifyInstance,
  consequence: string,
  work: PromiseLike<unknown>,
  millis: number,
): Promise<boolean> {
  try {
    const late = delay(millis, true);
    if ((await Promise.race([work, late])) !== true) return true;
    log.warn(`${consequence}: gave up after ${Math.round(millis)} ms`);
    return false;
  } catch (error) {
    log.warn(`${consequence}: ${error instanceof Error ? error.message : String(error)}`);
    return true;
  }
}
