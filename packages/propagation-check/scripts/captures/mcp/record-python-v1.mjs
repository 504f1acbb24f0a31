/**
 * Captures of version 1 of the official Python SDK for MCP, which needs a third-party instrumentation. Needs `requirements-v1.txt` in
 * a virtual environment: `PYTHON=…/bin/python node --conditions=trace-context-source record-python-v1.mjs`.
 */
import { broken, healthy } from '../record-capture.mjs';
import { recordCases, turns } from './cases.mjs';

const path = ['agent', 'tools'];
const traceloop = { MCP_SPANS: 'traceloop' };
const openinference = { MCP_SPANS: 'openinference' };
const http = { HTTP_SPANS: 'on' };

await recordCases(
  [
    { name: 'mcp-traceloop-http', isHttp: true, both: traceloop, label: healthy(path) },
    { name: 'mcp-traceloop-http-spans', isHttp: true, both: { ...traceloop, ...http }, label: healthy(path) },
    { name: 'mcp-openinference-stdio', both: openinference, label: healthy(path) },
    {
      name: 'mcp-openinference-stdio-not-injected',
      server: openinference,
      label: broken(path, 'header-not-sent', turns),
    },
    { name: 'mcp-openinference-http-spans', isHttp: true, both: { ...openinference, ...http }, label: healthy(path) },
  ],
  {
    command: process.env.PYTHON ?? 'python3',
    extension: '_v1.py',
    system: 'Python 3.11, mcp 1.30.0, opentelemetry-instrumentation-mcp 0.62.4 or openinference-instrumentation-mcp 2.0.13, opentelemetry-sdk 1.45.1',
  },
);
