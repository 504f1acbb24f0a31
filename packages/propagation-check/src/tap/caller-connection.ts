import { Agent, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A connection from a caller, with its own connection to the target. Idle connections are not shared between callers: when the target closes
 * one, the tap closes the caller's too. So keep-alive works for a caller as if it were connected to the target itself.
 */
export interface CallerConnection {
  readonly agent: Agent;
  /** Call `enter` when a request begins, and `leave` when it has ended. In between the connection is not idle. */
  enter(): void;
  leave(): void;
  /** Call this for each request to the target, before its socket is assigned. */
  watch(upstream: ClientRequest): void;
}

export type CallerConnections = (caller: Socket) => CallerConnection;

export function createCallerConnections(): CallerConnections {
  const known = new WeakMap<Socket, CallerConnection>();
  return (caller) => {
    const connection = known.get(caller) ?? createCallerConnection(caller);
    known.set(caller, connection);
    return connection;
  };
}

function createCallerConnection(caller: Socket): CallerConnection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  const watched = new WeakSet<Socket>();
  let open = 0;
  caller.once('close', () => agent.destroy());
  return {
    agent,
    enter() {
      open += 1;
    },
    leave() {
      open -= 1;
    },
    watch(upstream) {
      upstream.once('socket', (socket) => {
        if (watched.has(socket)) return;
        watched.add(socket);
        socket.once('close', () => {
          if (open === 0) caller.end();
        });
      });
    },
  };
}
