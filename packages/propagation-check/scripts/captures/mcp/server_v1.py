"""The same server on version 1 of the official SDK, with the context or the spans of an instrumentation of others."""
import os
import random

import anyio
from opentelemetry import trace
from telemetry import start_telemetry

# Starlette is patched before the SDK imports it.
provider = start_telemetry()
from mcp.server.fastmcp import FastMCP  # noqa: E402

tracer = trace.get_tracer("tools")
port = int(os.environ.get("PORT", "0"))
server = FastMCP("tools", host="127.0.0.1", port=port)


@server.tool()
async def get_weather(city: str) -> str:
    with tracer.start_as_current_span("lookup"):
        await anyio.sleep(random.uniform(0.005, 0.03))
    return f"sunny in {city}"


try:
    server.run(transport="streamable-http" if port else "stdio")
finally:
    provider.shutdown()
