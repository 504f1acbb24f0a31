/**
 * How a process authenticates to the Collector: by a bearer token, and over TLS by a client certificate. Both come from files that are read
 * again for each export or connection, so that renewing them needs no restart.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Explain } from './attempt.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Paths of files; undefined where a variable is not set. */
interface Files {
  readonly token: string | undefined;
  /** The authority of the Collector's certificate; without it the authorities of Node.js are trusted. */
  readonly authority: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** `headers` and the agent are for `OTLPTraceExporter`, `explain` is for `DurableExporter`. */
export interface Credentials {
  readonly headers: () => Promise<Record<string, string>>;
  readonly httpAgentOptions: (protocol: string) => Agent;
  readonly explain: Explain;
}

/**
 * Reads the token from the file `OTLP_TOKEN_FILE`, and the certificates from the standard variables. A file that cannot be
 * read fails the export, and the error names it.
 * Source: OpenTelemetry specification, "OTLP Exporter Configuration": variables for traces alone take precedence.
 */
export function readCredentials(env: Environment): Credentials {
  const files = readFiles(env);
  return {
    headers: () => readAuthorization(files.token),
    httpAgentOptions: (protocol) =>
      protocol === 'http:' ? new Agent({ keepAlive: true }) : new RenewingAgent(files),
    explain: (code, message) => explainRefusal(code, message, files),
  };
}

function readFiles(env: Environment): Files {
  const ofExporter = (name: string) =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined;
  return {
    token: env.OTLP_TOKEN_FILE || undefined,
    authority: ofExporter('CERTIFICATE'),
    certificate: ofExporter('CLIENT_CERTIFICATE'),
    key: ofExporter('CLIENT_KEY'),
  };
}

/**
 * Explains why the Collector refuses spans, and what to do; null for other failures.
 * `code` is an HTTP status and `message` the body of the answer; or they are the code and message of an error.
 */
function explainRefusal(
  code: string,
  message: string,
  { token, authority, certificate }: Files,
): string | null {
  if (code === '401' || code === '403') {
    return token === undefined
      ? `the Collector asks for a token (${code}); set OTLP_TOKEN_FILE to a file that holds it, or OTEL_EXPORTER_OTLP_HEADERS`
      : `the Collector does not accept the token (${code}); put the Collector's into OTLP_TOKEN_FILE=${token}`;
  }
  if (code === '400' && message.includes('HTTPS server')) {
    return 'the Collector speaks only TLS; use https:// in OTEL_EXPORTER_OTLP_ENDPOINT';
  }
  // A handshake that fails during a write has only the code EPROTO.
  const tls = code === 'EPROTO' ? `ERR_SSL_${message.toUpperCase().replaceAll(' ', '_')}` : code;
  if (/^ERR_SSL_.*(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)/.test(tls)) {
    return 'the Collector speaks no TLS; use http:// in OTEL_EXPORTER_OTLP_ENDPOINT';
  }
  if (/^ERR_SSL_.*ALERT_(.*CERTIFICATE|UNKNOWN_CA)/.test(tls)) {
    const own =
      certificate === undefined
        ? 'set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY'
        : `renew OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=${certificate}`;
    return `the Collector does not accept this service's certificate (${code}); ${own}`;
  }
  if (/CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE/.test(code)) {
    const set = authority === undefined ? '' : `=${authority}`;
    return `the Collector's certificate is not accepted (${message}); renew it, or name its authority with OTEL_EXPORTER_OTLP_CERTIFICATE${set}`;
  }
  return null;
}

async function readAuthorization(file: string | undefined): Promise<Record<string, string>> {
  if (file === undefined) return {};
  const token = (await readFile(file, 'utf8')).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Error(`OTLP_TOKEN_FILE=${file} holds no token; put one line without spaces into it`);
  }
  return { authorization: `Bearer ${token}` };
}

class RenewingAgent extends TlsAgent {
  readonly #files: Files;

  constructor(files: Files) {
    // A resumed TLS session would keep the old certificates.
    super({ keepAlive: true, maxCachedSessions: 0 });
    this.#files = files;
  }

  override createConnection(...[options, callback]: Parameters<TlsAgent['createConnection']>) {
    const { authority, certificate, key } = this.#files;
    const files = {
      ...(authority === undefined ? {} : { ca: readFileSync(authority) }),
      ...(certificate === undefined ? {} : { cert: readFileSync(certificate) }),
      ...(key === undefined ? {} : { key: readFileSync(key) }),
    };
    return super.createConnection({ ...options, ...files }, callback);
  }
}
