import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that the kernel gives to outgoing connections and to servers that ask for any: nobody takes one between its choice
 * and its use, a service that was stopped finds its own free, and a client of a closed one is not connected to itself.
 */
const ports = { first: 20_000, count: 10_000 } as const;
/** A server at the port so far below reserves it until this process ends, however it does: the kernel closes its sockets. */
export const lockDistance = 10_000;

/** Ports of the loopback interface that are free, and that no other process finds here. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = ports.first + Math.floor(Math.random() * ports.count);
    const lock = await listen(port - lockDistance);
    if (lock === null) continue;
    const trial = await listen(port);
    if (trial === null) {
      lock.close();
      continue;
    }
    trial.close();
    await once(trial, 'close');
    found.push(port);
  }
  return found;
}

export async function findFreePort(): Promise<number> {
  const [port = 0] = await findFreePorts(1);
  return port;
}

/** @returns null where the port is taken. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
