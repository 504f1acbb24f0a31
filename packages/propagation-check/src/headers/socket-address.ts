import { isLoopback } from '../calls/inside.ts';

/** One notation for an end of a connection: `127.0.0.1:8083`, `[::1]:8083`. An IPv4-mapped IPv6 address becomes IPv4. */
export function joinAddress(address: string, port: number): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port}`;
}

/** Whether an address in this notation is a loopback address. */
export function isLoopbackAddress(address: string): boolean {
  return isLoopback(address.slice(0, address.lastIndexOf(':')));
}
