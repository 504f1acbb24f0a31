"""The same agent on version 1 of the official SDK."""
import os
import random
import sys
from contextlib import asynccontextmanager

import anyio
from opentelemetry import trace
from telemetry import start_telemetry

provider = start_telemetry()
from mcp import ClientSession, StdioServerParameters  # noqa: E402
from mcp.client.stdio import stdio_client  # noqa: E402
from mcp.client.streamable_http import streamablehttp_client  # noqa: E402

tracer = trace.get_tracer("agent")


def server_env() -> dict[str, str]:
    """What begins with SERVER_ is for the server."""
    prefix = "SERVER_"
    own = {key.removeprefix(prefix): value for key, value in os.environ.items() if key.startswith(prefix)}
    return {**os.environ, **own}


@asynccontextmanager
async def open_streams():
    url = os.environ.get("MCP_URL")
    if url:
        async with streamablehttp_client(url) as (read, write, _):
            yield read, write
    else:
        parameters = StdioServerParameters(command=sys.executable, args=["server_v1.py"], env=server_env())
        async with stdio_client(parameters) as (read, write):
            yield read, write


async def main() -> None:
    async with open_streams() as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        for turn in range(14):
            with tracer.start_as_current_span("invoke_agent"):
                await session.call_tool("get_weather", {"city": f"city {turn}"})
            await anyio.sleep(random.uniform(0.02, 0.06))


anyio.run(main)
provider.shutdown()
