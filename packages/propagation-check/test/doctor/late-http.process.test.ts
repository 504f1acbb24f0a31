/** Tries what `node-sdk-late` says about `http` with the SDK itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from './run-program.ts';

const setUp = `const { NodeSDK } = require('@opentelemetry/sdk-node');
const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node');
new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();
`;

/** Sends a request to itself, and prints whether the header arrived. */
const request = `const server = require('net').createServer((socket) => socket.once('data', (data) => {
  process.stdout.write(/^traceparent: /mi.test(data) ? 'sent' : 'none', () => process.exit());
})).listen(0, '127.0.0.1', () => call({ host: '127.0.0.1', port: server.address().port }));
`;

const whole = `const http = require('http');\n`;
const taken = `const { get } = require('http');\n`;
const callWhole = 'const call = (to) => http.get(to);\n';
const callTaken = 'const call = (to) => get(to);\n';

for (const [name, program, expected] of [
  ['after the SDK', setUp + taken + callTaken, 'sent'],
  ['a function that is taken before', taken + setUp + callTaken, 'none'],
  [
    'a function that is taken before, and loaded again',
    `${taken}${setUp}require('http');\n${callTaken}`,
    'none',
  ],
  ['the module before', whole + setUp + callWhole, 'none'],
  ['the module before, and loaded again', `${whole}${setUp}require('http');\n${callWhole}`, 'sent'],
  ['the module before, and https after', `${whole}${setUp}require('https');\n${callWhole}`, 'none'],
] as const)
  test(`http and the SDK: ${name}: ${expected}`, async () => {
    assert.equal(await runProgram(program + request), expected);
  });
