/** An agent that calls the tool a few times, each time in a new trace. */
import { setTimeout } from 'node:timers/promises';
import { mcp, stopTelemetry, withToolSpan, withTurn } from './telemetry.mjs';

const { MCP_URL } = process.env;
const serverEnv = Object.fromEntries(
  Object.entries(process.env)
    .filter(([key]) => key.startsWith('SERVER_'))
    .map(([key, value]) => [key.slice('SERVER_'.length), value]),
);
const transport =
  MCP_URL === undefined
    ? new mcp.StdioClientTransport({
        command: process.execPath,
        args: ['server.mjs'],
        env: { ...process.env, ...serverEnv },
      })
    : new mcp.StreamableHTTPClientTransport(new URL(MCP_URL));
const client = new mcp.Client({ name: 'agent', version: '1.0.0' });
await client.connect(transport);
for (let turn = 0; turn < 14; turn += 1) {
  await withTurn(() =>
    withToolSpan('client', { tool: 'get_weather', sessionId: transport.sessionId }, () =>
      client.callTool({ name: 'get_weather', arguments: { city: `city ${turn}` } }),
    ),
  );
  await setTimeout(20 + Math.random() * 40);
}
await client.close();
await stopTelemetry();
