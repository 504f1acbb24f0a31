"""`service.py orders` answers, `service.py web URL` calls it. Prints its URL when it listens."""

import signal
import sys

import requests
from flask import Flask
from werkzeug.serving import make_server

app = Flask(__name__)


@app.get("/orders")
def orders():
    return "ordered"


@app.get("/")
def web():
    return requests.get(sys.argv[2] + "/orders", timeout=10).text


# The SDK sends its last spans when Python exits, which a signal alone does not make it do.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = make_server("127.0.0.1", 0, app)
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
