/**
 * How this service shows the Collector who it is: a bearer token, and over TLS a client certificate. Both come from
 * files that are read anew for each export or connection, so that a renewed one needs no restart.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';

/** Paths; null where the variable is not set. */
export interface CollectorAccess {
  readonly tokenFile: string | null;
  /** Whom the Collector's certificate has to come from; null trusts the authorities that Node knows. */
  readonly authorityFile: string | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
}

/** For `OTLPTraceExporter`. A file that cannot be read fails the export, and the error names it. */
export function createAccessOptions(access: CollectorAccess) {
  return {
    headers: () => readAuthorization(access.tokenFile),
    httpAgentOptions: (protocol: string) =>
      protocol === 'http:' ? new Agent({ keepAlive: true }) : new RenewingAgent(access),
  };
}

/**
 * What keeps the Collector from taking the spans and what to do, or null for a failure of another kind.
 * `code` is an HTTP status with the answer's body as `message`, or an error's code with its message.
 */
export function explainRefusal(code: string, message: string, access: CollectorAccess): string | null {
  const { tokenFile, authorityFile, certificateFile } = access;
  if (code === '401' || code === '403') {
    return tokenFile === null
      ? `the Collector asks for a token (${code}); set OTLP_TOKEN_FILE to a file that holds it, or OTEL_EXPORTER_OTLP_HEADERS`
      : `the Collector does not accept the token (${code}); put the Collector's into OTLP_TOKEN_FILE=${tokenFile}`;
  }
  if (code === '400' && message.includes('HTTPS server')) {
    return 'the Collector speaks only TLS; use https:// in OTEL_EXPORTER_OTLP_ENDPOINT';
  }
  // A handshake that fails while something is written has no code of its own.
  const tls = code === 'EPROTO' ? `ERR_SSL_${message.toUpperCase().replaceAll(' ', '_')}` : code;
  if (/^ERR_SSL_.*(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)/.test(tls)) {
    return 'the Collector speaks no TLS; use http:// in OTEL_EXPORTER_OTLP_ENDPOINT';
  }
  if (/^ERR_SSL_.*ALERT_(.*CERTIFICATE|UNKNOWN_CA)/.test(tls)) {
    const own =
      certificateFile === null
        ? 'set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY'
        : `renew OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=${certificateFile}`;
    return `the Collector does not accept this service's certificate (${code}); ${own}`;
  }
  if (/CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE/.test(code)) {
    const authority = authorityFile === null ? '' : `=${authorityFile}`;
    return `the Collector's certificate is not accepted (${message}); renew it, or name its authority with OTEL_EXPORTER_OTLP_CERTIFICATE${authority}`;
  }
  return null;
}

async function readAuthorization(tokenFile: string | null): Promise<Record<string, string>> {
  if (tokenFile === null) return {};
  const token = (await readFile(tokenFile, 'utf8')).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Error(`OTLP_TOKEN_FILE=${tokenFile} holds no token; put one line without spaces into it`);
  }
  return { authorization: `Bearer ${token}` };
}

class RenewingAgent extends TlsAgent {
  readonly #access: CollectorAccess;

  constructor(access: CollectorAccess) {
    // A resumed session would go on with the old certificates.
    super({ keepAlive: true, maxCachedSessions: 0 });
    this.#access = access;
  }

  override createConnection(...[options, callback]: Parameters<TlsAgent['createConnection']>) {
    const { authorityFile, certificateFile, keyFile } = this.#access;
    const files = {
      ...(authorityFile === null ? {} : { ca: readFileSync(authorityFile) }),
      ...(certificateFile === null ? {} : { cert: readFileSync(certificateFile) }),
      ...(keyFile === null ? {} : { key: readFileSync(keyFile) }),
    };
    return super.createConnection({ ...options, ...files }, callback);
  }
}
