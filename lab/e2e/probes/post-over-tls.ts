/**
 * Posts an empty OTLP request to the URL in the first argument, with the credentials in the second (JSON, PEM: `ca`,
 * `cert`, `key`), and prints the status or the code of the error.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

const url = new URL(process.argv[1] ?? '');
const credentials: { readonly ca?: string; readonly cert?: string; readonly key?: string } = JSON.parse(
  process.argv[2] ?? '{}',
);
const headers = { 'content-type': 'application/json' };
const sent =
  url.protocol === 'https:'
    ? requestHttps(url, { method: 'POST', headers, ...credentials })
    : requestHttp(url, { method: 'POST', headers });
sent.once('response', (answer) => {
  answer.resume();
  console.log(JSON.stringify(answer.statusCode));
});
sent.once('error', (error) => console.log(JSON.stringify('code' in error ? error.code : error.message)));
sent.end('{}');
