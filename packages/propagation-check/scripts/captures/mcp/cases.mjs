/** Common to the record scripts: an agent and its tools, over stdio or streamable HTTP as the case says. */
import { freePort, recordCapture, run, start } from '../record-capture.mjs';
import { startGateway } from './gateway.mjs';

/** Number of tool calls of a capture, each in its own trace. */
export const turns = 14;

export async function recordCases(cases, { command, extension, system }) {
  const only = process.argv.slice(2);
  for (const made of cases.filter(({ name }) => only.length === 0 || only.includes(name))) {
    const { name, isHttp = false, isGated = false, agent = {}, server = {}, both = {}, label } = made;
    await recordCapture({
      name,
      system: `${made.system ?? system}, ${isHttp ? 'streamable HTTP' : 'stdio'}${isGated ? ', a gateway that drops params._meta' : ''}`,
      label,
      async drive(url) {
        const cwd = import.meta.dirname;
        const common = {
          ...process.env,
          OTEL_EXPORTER_OTLP_ENDPOINT: url,
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
          OTEL_NODE_RESOURCE_DETECTORS: 'env',
          ...both,
        };
        const agentEnv = { ...common, OTEL_SERVICE_NAME: 'agent', ...agent };
        const serverEnv = { OTEL_PROPAGATORS: 'tracecontext', MCP_CONTEXT: 'on', OTEL_SERVICE_NAME: 'tools', ...server };
        if (!isHttp) {
          const given = Object.entries(serverEnv).map(([key, value]) => [`SERVER_${key}`, value]);
          await run(command, [`agent${extension}`], { cwd, env: { ...agentEnv, ...Object.fromEntries(given) } });
          return;
        }
        const port = await freePort();
        const tools = await start(command, [`server${extension}`], port, {
          cwd,
          env: { ...common, ...serverEnv, PORT: port },
        });
        const gateway = isGated ? await startGateway(port) : null;
        const MCP_URL = `http://127.0.0.1:${gateway?.port ?? port}/mcp`;
        await run(command, [`agent${extension}`], { cwd, env: { ...agentEnv, MCP_URL } });
        gateway?.close();
        await tools.stop();
      },
    });
  }
}
