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

/** @param host As in a URL, or without the brackets of IPv6. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || host.startsWith('127.');
}
