/**
 * In Compose service A loads this module after `preload.ts`. If the fault is a proxy, the proxy runs as a process in service A's container,
 * and service A calls it instead of service B. The proxy then has service A's address, which service B trusts.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readBrokenProcess } from './read-process.ts';

const broken = readBrokenProcess();
if (broken?.service === 'service-a' && broken.fault.tap !== undefined) {
  const proxy = fork(new URL('proxy.ts', import.meta.url), {
    execArgv: ['--conditions=trace-context-source'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [url] = await Promise.race([once(proxy, 'message'), once(proxy, 'exit')]);
  if (typeof url !== 'string') throw new Error('the proxy did not start');
  process.env.SERVICE_B_URL = url;
  // The proxy must not keep service A alive.
  proxy.unref();
  proxy.channel?.unref();
}
