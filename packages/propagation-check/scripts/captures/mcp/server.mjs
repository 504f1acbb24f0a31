/** An MCP server with one tool, on the official TypeScript SDK. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { mcp, stopTelemetry, withToolSpan } from './telemetry.mjs';

function createTools() {
  const server = new mcp.McpServer({ name: 'tools', version: '1.0.0' });
  server.registerTool('get_weather', { inputSchema: { city: z.string() } }, ({ city }, { requestId, sessionId }) =>
    withToolSpan('server', { tool: 'get_weather', requestId, sessionId }, async () => {
      await setTimeout(5 + Math.random() * 20);
      return { content: [{ type: 'text', text: `sunny in ${city}` }] };
    }),
  );
  return server;
}

async function stop() {
  await stopTelemetry();
  process.exit();
}

if (process.env.PORT === undefined) {
  const transport = new mcp.StdioServerTransport();
  await createTools().connect(transport);
  process.stdin.on('end', stop);
} else {
  const { createServer } = createRequire(import.meta.url)('node:http');
  const sessions = new Map();
  const server = createServer(async (request, response) => {
    const known = sessions.get(request.headers['mcp-session-id']);
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new mcp.StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await createTools().connect(transport);
    await transport.handleRequest(request, response);
  });
  server.listen(Number(process.env.PORT), '127.0.0.1');
  process.on('SIGINT', () => {
    server.closeAllConnections();
    stop();
  });
}
process.on('SIGTERM', stop);
