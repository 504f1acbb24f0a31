"""An agent that asks the tool a few times, each in a trace of its own."""
import os
import random
import sys

import anyio
from opentelemetry import trace
from telemetry import start_telemetry

provider = start_telemetry()
tracer = trace.get_tracer("agent")


def open_client():
    url = os.environ.get("MCP_URL")
    if os.environ.get("FASTMCP") == "on":
        from fastmcp import Client
        from fastmcp.client.transports import PythonStdioTransport

        return Client(url or PythonStdioTransport("server.py", python_cmd=sys.executable, env=server_env()))
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    return Client(
        url or StdioServerParameters(command=sys.executable, args=["server.py"], env=server_env())
    )


def server_env() -> dict[str, str]:
    """What begins with SERVER_ is for the server."""
    prefix = "SERVER_"
    own = {key.removeprefix(prefix): value for key, value in os.environ.items() if key.startswith(prefix)}
    return {**os.environ, **own}


async def main() -> None:
    async with open_client() as client:
        for turn in range(14):
            with tracer.start_as_current_span("invoke_agent"):
                await client.call_tool("get_weather", {"city": f"city {turn}"})
            await anyio.sleep(random.uniform(0.02, 0.06))


anyio.run(main)
provider.shutdown()
