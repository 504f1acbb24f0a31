"""Takes HTTP requests, and queues a task for each. Prints its port."""
from wsgiref.simple_server import make_server

import flask
from jobs import work

app = flask.Flask("shop")


@app.get("/")
def index():
    work.apply_async()
    return "queued"


server = make_server("127.0.0.1", 0, app)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
