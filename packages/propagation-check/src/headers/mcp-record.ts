import type { McpFacts } from '../calls/call-facts.ts';
import type { Asked } from './record-index.ts';

/** The method of records of JSON-RPC messages, which no request of HTTP has. */
export const mcpMethod = 'MCP';

/** The query to a tap for such a call. Without the tool's name, which not every CLIENT span has, any message of its time may be it. */
export function askForMcp({ method, target }: McpFacts): Asked {
  if (target !== null) return { method: mcpMethod, path: `${method} ${target}` };
  const isOfTarget = method === 'tools/call' || method === 'prompts/get';
  return { method: mcpMethod, path: isOfTarget ? null : method };
}
