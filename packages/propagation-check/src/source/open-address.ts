import { isLoopback } from '../calls/inside.ts';

/**
 * The warning about a server that other machines can reach.
 * @param url The URL of the server: `http://0.0.0.0:4318`.
 * @returns Null if only this machine can reach it.
 */
export function warnOfOpenAddress(url: string): string | null {
  const { hostname } = new URL(url);
  if (isLoopback(hostname)) return null;
  return `other machines can reach ${hostname}, and nobody is asked who they are; without a host it is 127.0.0.1`;
}
