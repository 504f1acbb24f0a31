/** The container's health check: sends a request to the service's own port, with the service's certificate if it uses TLS. */
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
