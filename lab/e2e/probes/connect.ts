/** Prints which of the addresses in the argument (JSON: `{ host, port }[]`) accept a TCP connection from here. */
import { connect } from 'node:net';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** When the network drops packets, a connection attempt gets no answer. */
const patienceMs = 3_000;

const addresses: readonly Address[] = JSON.parse(process.argv[1] ?? '[]');
const open = await Promise.all(addresses.map(accepts));
console.log(JSON.stringify(addresses.filter((_, index) => open[index])));

function accepts(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: patienceMs });
    const settle = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
