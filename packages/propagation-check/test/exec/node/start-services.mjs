import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts `web` and `orders` as processes. @returns the URL of `web`, and what stops both. */
export async function startServices() {
  const orders = await start('orders');
  const web = await start('web', String(orders.port));
  const stop = () => Promise.all([web.stop(), orders.stop()]);
  return { url: `http://127.0.0.1:${web.port}/`, stop };
}

async function start(service, ...args) {
  const env = { ...process.env, OTEL_SERVICE_NAME: service };
  const child = fork(new URL(`${service}.cjs`, import.meta.url), args, { env });
  const [port] = await once(child, 'message');
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { port, stop };
}
