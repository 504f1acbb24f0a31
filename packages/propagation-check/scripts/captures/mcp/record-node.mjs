/** Captures of the official TypeScript SDK for MCP. Needs `npm install --legacy-peer-deps` here. */
import { broken, healthy } from '../record-capture.mjs';
import { recordCases, turns } from './cases.mjs';

const path = ['agent', 'tools'];
const off = { MCP_CONTEXT: 'off' };
const http = { isHttp: true };
const spans = { isHttp: true, both: { HTTP_SPANS: 'on' } };

await recordCases(
  [
    { name: 'mcp-node-stdio', label: healthy(path) },
    { name: 'mcp-node-stdio-not-injected', agent: off, label: broken(path, 'header-not-sent', turns) },
    { name: 'mcp-node-stdio-not-extracted', server: off, label: broken(path, 'header-ignored', turns) },
    { name: 'mcp-node-http', ...http, label: healthy(path) },
    { name: 'mcp-node-http-not-injected', ...http, agent: off, label: broken(path, 'header-not-sent', turns) },
    { name: 'mcp-node-http-gateway-drops-meta', ...http, isGated: true, label: broken(path, 'header-stripped', turns) },
    // The HTTP spans are below the MCP spans.
    { name: 'mcp-node-http-spans', ...spans, label: healthy(path) },
    // Only HTTP headers carry the context.
    { name: 'mcp-node-http-spans-no-meta', ...spans, agent: off, server: off, label: healthy(path) },
  ],
  {
    command: process.execPath,
    extension: '.mjs',
    system:
      'Node 26, @modelcontextprotocol/sdk 1.32.2, @arizeai/openinference-instrumentation-mcp 0.2.33, spans by the semantic conventions, sdk-node 0.223.0',
  },
);
