import os
import subprocess

import requests


def start(service, *args):
    command = ["opentelemetry-instrument", "python", "service.py", service, *args]
    env = {**os.environ, "OTEL_SERVICE_NAME": service}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_web_answers_with_what_orders_says():
    orders, orders_url = start("orders")
    web, web_url = start("web", orders_url)
    try:
        assert requests.get(web_url, timeout=30).text == "ordered"
    finally:
        for process in (web, orders):
            process.terminate()
            process.wait()
