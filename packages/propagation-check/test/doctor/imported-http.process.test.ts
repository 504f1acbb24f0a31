/** Tries what `node-esm-without-hook` says about `http` with the SDK itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runProgram } from './run-program.ts';

/** Starts the SDK, with spans on standard output. Like a preload, it does not see the imports of the program. */
const setUp = `import { NodeSDK } from '@opentelemetry/sdk-node';
import { ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
const spanProcessors = [new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })];
new NodeSDK({ spanProcessors, instrumentations: [new HttpInstrumentation()] }).start();
`;

/** Sends a request to its own server. */
const request = `await new Promise((resolve) => {
  const server = serve((_, response) => response.end()).listen(0, '127.0.0.1', () =>
    call({ host: '127.0.0.1', port: server.address().port }, (response) => response.resume().on('end', resolve)));
});
setTimeout(() => process.exit(), 50);
`;

const forms = {
  named: `import { createServer as serve, get as call } from 'node:http';\n`,
  default: `import http from 'node:http';\nconst [serve, call] = [http.createServer, (...to) => http.get(...to)];\n`,
  namespace: `import * as http from 'node:http';\nconst [serve, call] = [http.createServer, http.get];\n`,
};
const required = `import { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('http');\n`;
const loader = pathToFileURL(import.meta.filename);
const hook = `import { register } from 'node:module';\nregister('@opentelemetry/instrumentation/hook.mjs', '${loader}');\n`;

for (const [name, program, options, expected] of [
  ['named functions', forms.named, [], []],
  ['the default import', forms.default, [], []],
  ['the namespace', forms.namespace, [], []],
  ['named functions, and a require of http', forms.named + required, [], ['SERVER']],
  ['the default import, and a require of http', forms.default + required, [], ['CLIENT', 'SERVER']],
  ['the namespace, and a require of http', forms.namespace + required, [], ['SERVER']],
  [
    'named functions, and the hook',
    forms.named,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`],
    ['CLIENT', 'SERVER'],
  ],
] as const)
  test(`http in an ES module: ${name}: ${expected.join(' and ') || 'no'} spans`, async () => {
    const stdout = await runProgram(setUp + program + request, [...options, '--input-type=module']);
    const kinds = [...stdout.matchAll(/^ *kind: (\d)/gm)].map(([, kind]) =>
      kind === '1' ? 'SERVER' : 'CLIENT',
    );
    assert.deepEqual(kinds.sort(), expected);
  });
