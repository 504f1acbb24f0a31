/**
 * In Compose service A loads it after `preload.ts`. Where the fault is a proxy, that runs as a process beside service A,
 * which calls it in place of service B. So its address is service A's, which service B trusts.
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
  // It must not keep service A from stopping.
  proxy.unref();
  proxy.channel?.unref();
}
