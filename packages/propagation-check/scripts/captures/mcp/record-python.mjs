/**
 * Captures of the official Python SDK for MCP, which itself makes spans and carries context in `params._meta`.
 * Needs `requirements.txt` in a virtual environment: `PYTHON=…/bin/python node --conditions=trace-context-source record-python.mjs`.
 */
import { broken, healthy } from '../record-capture.mjs';
import { recordCases, turns } from './cases.mjs';

const path = ['agent', 'tools'];
const off = { OTEL_PROPAGATORS: 'none' };
const fastmcp = { both: { FASTMCP: 'on' }, system: 'Python 3.11, fastmcp 4.1.6 on mcp 2.3.0, opentelemetry-sdk 1.45.1' };
// A session also makes two calls besides the tool calls: `server/discover` and `tools/list`.
const calls = turns + 2;

await recordCases(
  [
    { name: 'mcp-py-stdio', label: healthy(path) },
    { name: 'mcp-py-stdio-not-injected', agent: off, label: broken(path, 'header-not-sent', calls) },
    { name: 'mcp-py-stdio-not-extracted', server: off, label: broken(path, 'header-ignored', calls) },
    { name: 'mcp-py-http', isHttp: true, label: healthy(path) },
    { name: 'mcp-py-http-not-injected', isHttp: true, agent: off, label: broken(path, 'header-not-sent', calls) },
    { name: 'mcp-py-http-not-extracted', isHttp: true, server: off, label: broken(path, 'header-ignored', calls) },
    {
      name: 'mcp-py-http-gateway-drops-meta',
      isHttp: true,
      isGated: true,
      label: broken(path, 'header-stripped', calls),
    },
    // The SDK's HTTP client, httpx2, has no instrumentation, so HTTP SERVER spans are roots beside intact MCP calls.
    { name: 'mcp-py-http-spans', isHttp: true, both: { HTTP_SPANS: 'on' }, label: healthy(path) },
    { name: 'mcp-py-fastmcp-stdio', ...fastmcp, label: healthy(path) },
    { name: 'mcp-py-fastmcp-http', isHttp: true, ...fastmcp, label: healthy(path) },
  ],
  {
    command: process.env.PYTHON ?? 'python3',
    extension: '.py',
    system: 'Python 3.11, mcp 2.3.0, opentelemetry-sdk 1.45.1',
  },
);
