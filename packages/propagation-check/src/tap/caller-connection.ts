import { Agent, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/**
 * One connection from a caller and the one to the target that belongs to it. Idle connections are not shared
 * between callers: when the target closes one, the caller's is closed too, so a caller sees keep-alive as if it
 * talked to the target itself.
 */
export interface CallerConnection {
  readonly agent: Agent;
  /** Call when a request begins, and `leave` when it is over: in between the connection is not idle. */
  enter(): void;
  leave(): void;
  /** Call with each request to the target, before its socket is known. */
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
