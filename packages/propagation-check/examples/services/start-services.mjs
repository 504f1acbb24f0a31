import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts `orders`, and `web`, which calls `orders`.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns the URL of `web`, and a function that stops both.
 */
export async function startServices(env) {
  const orders = await start('orders', env);
  const web = await start('web', env, String(orders.port));
  const stop = () => Promise.all([web.stop(), orders.stop()]);
  return { url: `http://127.0.0.1:${web.port}/`, stop };
}

/**
 * @param {string} service
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} args
 */
async function start(service, env, ...args) {
  const child = fork(new URL(`${service}.cjs`, import.meta.url), args, {
    env: { ...env, OTEL_SERVICE_NAME: service },
  });
  const [port] = await once(child, 'message');
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { port, stop };
}
