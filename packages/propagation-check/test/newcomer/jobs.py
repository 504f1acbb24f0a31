"""The tasks of a queue in Redis."""
import os

from celery import Celery

app = Celery("jobs", broker=os.environ["BROKER"])


@app.task
def work():
    return "done"
