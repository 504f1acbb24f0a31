/** One notation for the end of a connection: `127.0.0.1:8083`, `[::1]:8083`; IPv4 as such, also where IPv6 carries it. */
export function joinAddress(address: string, port: number): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port}`;
}
