/**
 * What to say of a server that listens where others can reach it.
 * @param url Of the server: `http://0.0.0.0:4318`.
 * @returns Null where only this machine can.
 */
export function warnOfOpenAddress(url: string): string | null {
  const { hostname } = new URL(url);
  if (hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')) return null;
  return `other machines can reach ${hostname}, and nobody is asked who they are; without a host it is 127.0.0.1`;
}
