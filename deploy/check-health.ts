/** The container's health check: asks this service at its own port, with its own certificate where it asks for one. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';

const { PORT, TLS_AUTHORITY_FILE, TLS_CERTIFICATE_FILE, TLS_KEY_FILE } = process.env;
const where = `localhost:${PORT}/healthz`;
const asked =
  TLS_AUTHORITY_FILE && TLS_CERTIFICATE_FILE && TLS_KEY_FILE
    ? getHttps(`https://${where}`, {
        ca: readFileSync(TLS_AUTHORITY_FILE),
        cert: readFileSync(TLS_CERTIFICATE_FILE),
        key: readFileSync(TLS_KEY_FILE),
      })
    : getHttp(`http://${where}`);
const [answer] = await once(asked, 'response');
process.exit(answer.statusCode === 200 ? 0 : 1);
