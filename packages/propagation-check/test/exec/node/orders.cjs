/** Answers. CommonJS, which is instrumented without a hook. */
const { createServer } = require('node:http');

const server = createServer((_request, response) => response.end('ordered'));
server.listen(0, '127.0.0.1', () => process.send?.(server.address().port));

// The SDK sends its last spans at this signal, and leaves the end to the program.
process.on('SIGTERM', () => {
  server.close();
  process.disconnect?.();
});
