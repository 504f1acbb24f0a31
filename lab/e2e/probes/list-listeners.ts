/** Prints the listening TCP ports of this network namespace, except those on loopback. */
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** TCP_LISTEN in the column `st` of `/proc/net/tcp`. */
const listening = '0A';
/** Addresses in `/proc/net/tcp` are hexadecimal, each group of four bytes in the byte order of the machine. */
const loopback = /^(?:[0-9A-F]{6}7F|0{24}01000000)$/;

const sockets = ['/proc/net/tcp', '/proc/net/tcp6']
  .filter(existsSync)
  .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').slice(1))
  .map((line) => line.trim().split(/\s+/))
  .filter(([, , , state]) => state === listening)
  .map(([, local = '']) => local.split(':'))
  .filter(([address = '']) => !loopback.test(address));
const ports = sockets.map(([, port = '']) => Number.parseInt(port, 16));
const addresses = Object.values(networkInterfaces())
  .flatMap((found) => found ?? [])
  .filter(({ internal, family }) => !internal && family === 'IPv4')
  .map(({ address }) => address);
console.log(JSON.stringify({ addresses, ports: [...new Set(ports)].toSorted((a, b) => a - b) }));
