/**
 * How a process authenticates to the Collector: a bearer token, and over TLS a client certificate. Both come from files that are read
 * anew for each export or connection, so that a renewed one needs no restart.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Explain } from './attempt.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Paths of files; undefined where the variable is not set. */
interface Files {
  readonly token: string | undefined;
  /** The Collector's certificate has to come from this authority; undefined trusts the authorities that Node.js knows. */
  readonly authority: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** For `OTLPTraceExporter`, but for `explain`, which is for `DurableExporter`. */
export interface Credentials {
  readonly headers: () => Promise<Record<string, string>>;
  readonly httpAgentOptions: (protocol: string) => Agent;
  readonly explain: Explain;
}

/**
 * The token in the file `OTLP_TOKEN_FILE`, and the certificates of the standard variables. A file that cannot be
 * read fails the export, and the error names it.
 * Source: OpenTelemetry specification, "OTLP Exporter Configuration": variables of traces alone come first.
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
 * Why the Collector does not take the spans and what to do, or null for a failure of another kind.
 * `code` is an HTTP status with the answer's body as `message`, or an error's code with its message.
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
  // A handshake that fails while something is written has no code of its own.
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
    // A resumed session would go on with the old certificates.
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
