/** Calls `orders`, whose port is the first argument. */
const { createServer } = require('node:http');

const orders = `http://127.0.0.1:${process.argv[2]}/orders`;
const server = createServer(async (_request, response) => {
  const answer = await fetch(orders);
  response.end(await answer.text());
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address().port));

// The SDK sends its last spans at this signal, and leaves the end to the program.
process.on('SIGTERM', () => {
  server.close();
  process.disconnect?.();
});
