/** A server that asks for certificates and a `fetch` that shows one, with certificates that are renewed while both run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createTlsFetch, createTlsOptions } from 'service-kit/server';
import { issue, issueTlsFiles } from 'service-kit/testing';

test('both sides accept certificates of their authority alone, and read renewed files while they run', async (t) => {
  await using ofServer = await issueTlsFiles();
  await using ofClient = await issueTlsFiles();
  await ofClient.write(ofServer.credentials);
  const options = createTlsOptions(ofServer.files, 10_000);
  const server = createServer(options, (_request, response) => {
    // Each request is a connection of its own, and a handshake.
    response.setHeader('connection', 'close').end('done');
  });
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = new URL(`https://localhost:${address.port}/`);
  const tlsFetch = createTlsFetch(ofClient.files);
  const ask = async () => (await tlsFetch(url, {})).text();

  assert.equal(await ask(), 'done');
  await assert.rejects(askWithoutCertificate(url, ofServer.credentials.authority));

  const other = await issue();
  await ofClient.write({ ...other, authority: ofServer.credentials.authority });
  await assert.rejects(ask(), 'the certificate is of another authority than the server accepts');
  await ofServer.write(other);
  await assert.rejects(ask(), 'the server has a certificate of another authority than the client accepts');
  await ofClient.write(other);
  assert.equal(await ask(), 'done');
});

async function askWithoutCertificate(url: URL, ca: string): Promise<string> {
  const [answer] = await once(get(url, { ca, agent: false }), 'response');
  return text(answer);
}
