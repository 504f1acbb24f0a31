import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

const setsUpFlask =
  'from opentelemetry.instrumentation.flask import FlaskInstrumentor\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\n';

function find(app: string, requirements: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const files = {
    'app.py': app,
    'requirements.txt': ['opentelemetry-sdk', ...requirements].join('\n'),
    ...more,
  };
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ says }) => says);
}

const flask = ['flask', 'opentelemetry-instrumentation-flask'];

test('an instrumentation that is set up in code does not cover other libraries', () => {
  const app = `import requests\n${setsUpFlask}`;
  const missing = ['requests is used, and opentelemetry-instrumentation-requests is not installed'];
  assert.deepEqual(find(app, [...flask, 'requests']), missing);
  const runs = 'FROM python\nCMD ["opentelemetry-instrument", "python", "app.py"]\n';
  assert.deepEqual(find(app, [...flask, 'requests'], { Dockerfile: runs }), missing);
  assert.deepEqual(
    find(`import httpx\n${setsUpFlask.replaceAll('flask', 'fastapi')}`, [
      'fastapi',
      'httpx',
      'opentelemetry-instrumentation-fastapi',
    ]),
    ['httpx is used, and opentelemetry-instrumentation-httpx is not installed'],
  );
});

test('an instrumentation without a requirement may be imported, or installed by an image', () => {
  const app = `import requests\n${setsUpFlask}`;
  const needs = ['flask', 'requests', 'opentelemetry-instrumentation-flask'];
  for (const more of [
    { 'shared/tracing.py': 'from opentelemetry.instrumentation.requests import RequestsInstrumentor\n' },
    { 'shared/tracing.py': 'from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor\n' },
    { Dockerfile: 'FROM python\nRUN pip install opentelemetry-instrumentation-requests\n' },
  ])
    assert.deepEqual(find(app, needs, more), [], Object.values(more).join());
  assert.deepEqual(find(`import flask\n${setsUpFlask}`, ['flask']), []);
  const kafka = 'import kafka\nfrom opentelemetry.instrumentation.kafka import KafkaInstrumentor\n';
  assert.deepEqual(find(kafka, ['kafka-python']), []);
});

test('an installed instrumentation has to be set up where code sets up the others by name', () => {
  const app = `import requests\n${setsUpFlask}`;
  const needs = [...flask, 'requests', 'opentelemetry-instrumentation-requests'];
  assert.deepEqual(find(app, needs), [
    'requests is used, and no code calls instrument() of opentelemetry-instrumentation-requests',
  ]);
  assert.deepEqual(find(app, [...needs, 'opentelemetry-distro']), []);
  for (const more of [
    { Procfile: 'web: opentelemetry-instrument python app.py\n' },
    { 'all.py': 'list(map(start, entry_points(group="opentelemetry_instrumentor")))\n' },
    { 'all.py': 'start(importlib.import_module(name))\n' },
    { 'loop.py': 'for each in instrumentors:\n  each().instrument()\n' },
    { 'start.py': 'import opentelemetry.instrumentation.auto_instrumentation.sitecustomize\n' },
    { 'start.py': 'from acme import initialize\ninitialize()\n' },
    { 'common.py': 'from opentelemetry.instrumentation.requests import RequestsInstrumentor\n' },
    { 'star.py': 'from opentelemetry.instrumentation import requests\n' },
    { 'main.py': 'from acme_tracing import start\n' },
  ])
    assert.deepEqual(find(app, needs, more), [], Object.values(more).join());
  assert.deepEqual(find('import requests\nimport flask\n', needs), []);
  const read = { 'my_tracing.py': '', 'main.py': 'import my_tracing\n' };
  assert.equal(find(app, needs, read).length, 1);
  const requests = setsUpFlask.replaceAll('flask', 'requests').replaceAll('Flask', 'Requests');
  assert.deepEqual(find(`import flask, requests\n${requests}`, needs), []);
});
