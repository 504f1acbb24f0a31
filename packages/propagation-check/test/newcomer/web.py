"""Takes HTTP requests, and calls the gRPC service whose port is the argument. Prints its own port."""
import sys
from wsgiref.simple_server import make_server

import flask
import grpc

app = flask.Flask("web")
work = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}").unary_unary("/shop.Orders/Work")


@app.get("/")
def index():
    work(b"{}")
    return "done"


server = make_server("127.0.0.1", 0, app)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
