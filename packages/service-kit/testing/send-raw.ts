import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** A header as it is on the wire: several of one name, any octet (Latin-1). */
export type RawHeader = readonly [name: string, value: string];

/** Sends a request line and headers octet by octet, also those that `fetch` refuses. Resolves with the whole answer. */
export async function sendRaw(
  url: string,
  target: string,
  headers: readonly RawHeader[],
): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, port } = new URL(url);
  const fields = [['host', `${hostname}:${port}`], ['connection', 'close'], ...headers];
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\n${head}\r\n`, 'latin1'));
  const answer = await text(socket);
  const [first = '', body = ''] = answer.split('\r\n\r\n', 2);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]), body };
}
