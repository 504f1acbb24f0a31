import { isLoopback } from '../calls/inside.ts';

/** One notation for the end of a connection: `127.0.0.1:8083`, `[::1]:8083`; IPv4 as such, also where IPv6 carries it. */
export function joinAddress(address: string, port: number): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port}`;
}

/** Whether an end in this notation is on the machine itself. */
export function isLoopbackAddress(address: string): boolean {
  return isLoopback(address.slice(0, address.lastIndexOf(':')));
}
