import { isLoopback } from '../calls/inside.ts';

/**
 * The warning about a server that listens where others can reach it.
 * @param url Of the server: `http://0.0.0.0:4318`.
 * @returns Null where only this machine can.
 */
export function warnOfOpenAddress(url: string): string | null {
  const { hostname } = new URL(url);
  if (isLoopback(hostname)) return null;
  return `other machines can reach ${hostname}, and nobody is asked who they are; without a host it is 127.0.0.1`;
}
