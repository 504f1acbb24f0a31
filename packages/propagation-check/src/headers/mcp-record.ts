import type { McpFacts } from '../calls/call-facts.ts';
import type { Asked } from './record-index.ts';

/** The method of records of JSON-RPC messages; no HTTP request has it. */
export const mcpMethod = 'MCP';

/** The query for the tap records of an MCP call. Some CLIENT spans lack the tool's name; then any message of the time matches. */
export function askForMcp({ method, target }: McpFacts): Asked {
  if (target !== null) return { method: mcpMethod, path: `${method} ${target}` };
  const isOfTarget = method === 'tools/call' || method === 'prompts/get';
  return { method: mcpMethod, path: isOfTarget ? null : method };
}
