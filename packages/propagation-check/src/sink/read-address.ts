/** An address to listen on. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const loopback = '127.0.0.1';
const largestPort = 65_535;

/** `PORT` or `HOST:PORT`, IPv6 in brackets; null for others. Without a host it is this machine alone. */
export function readAddress(text: string): Address | null {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:\s]+):)?([0-9]{1,5})$/.exec(text.trim());
  if (match === null) return null;
  const [, host = loopback, digits = ''] = match;
  const port = Number(digits);
  return port > largestPort ? null : { host: host.replace(/^\[|\]$/g, ''), port };
}

/** Addresses with commas between them; null where one is wrong. */
export function readAddresses(text: string): readonly Address[] | null {
  const addresses = text.split(',').map(readAddress);
  return addresses.every((address) => address !== null) ? addresses : null;
}

export function toUrl({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
