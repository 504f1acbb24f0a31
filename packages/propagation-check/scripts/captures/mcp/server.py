"""An MCP server with one tool. The official SDK makes the spans."""
import os
import random

import anyio
from telemetry import start_telemetry

provider = start_telemetry()
if os.environ.get("FASTMCP") == "on":
    from fastmcp import FastMCP as Server
else:
    from mcp.server import MCPServer as Server

server = Server("tools")


@server.tool()
async def get_weather(city: str) -> str:
    await anyio.sleep(random.uniform(0.005, 0.03))
    return f"sunny in {city}"


try:
    if "PORT" in os.environ:
        server.run(transport="streamable-http", host="127.0.0.1", port=int(os.environ["PORT"]))
    else:
        server.run(transport="stdio")
finally:
    provider.shutdown()
