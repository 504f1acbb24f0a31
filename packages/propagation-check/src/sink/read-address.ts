/** An address to listen on. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const loopback = '127.0.0.1';
const largestPort = 65_535;

/** Reads `PORT` or `HOST:PORT`, with IPv6 in brackets; null for other texts. Without a host it listens on the loopback interface. */
export function readAddress(text: string): Address | null {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:\s]+):)?([0-9]{1,5})$/.exec(text.trim());
  if (match === null) return null;
  const [, host = loopback, digits = ''] = match;
  const port = Number(digits);
  return port > largestPort ? null : { host: host.replace(/^\[|\]$/g, ''), port };
}

/** Reads addresses that are separated by commas; null where one is invalid. */
export function readAddresses(text: string): readonly Address[] | null {
  const addresses = text.split(',').map(readAddress);
  return addresses.every((address) => address !== null) ? addresses : null;
}

export function toUrl({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
