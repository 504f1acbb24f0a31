/** A gateway that rebuilds JSON-RPC requests from the fields that it knows, as some MCP gateways do, and so loses `params._meta`. */
import { createServer, request } from 'node:http';

export async function startGateway(port) {
  const server = createServer(async (incoming, answer) => {
    const body = Buffer.concat(await Array.fromAsync(incoming));
    const forwarded = dropMeta(body);
    const { 'content-length': _, 'transfer-encoding': __, ...headers } = incoming.headers;
    const upstream = request({
      host: '127.0.0.1',
      port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, host: `127.0.0.1:${port}`, 'content-length': forwarded.length },
    });
    upstream.on('response', (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    upstream.on('error', () => answer.destroy());
    answer.on('close', () => upstream.destroy());
    upstream.end(forwarded);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function dropMeta(body) {
  if (body.length === 0) return body;
  const { params, ...message } = JSON.parse(body.toString());
  if (params === undefined) return body;
  const { _meta, ...known } = params;
  return Buffer.from(JSON.stringify({ ...message, params: known }));
}
