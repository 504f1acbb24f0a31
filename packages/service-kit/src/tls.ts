import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';

/** Paths, each of a file in PEM format. */
export interface TlsFiles {
  /** The authority that has to have issued the other side's certificate. */
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Callers have to show a certificate. The files are read anew for each connection, so that renewal needs no restart.
 * @param handshakeTimeout How long a caller may take to show it, in milliseconds. Only then the limits on requests begin.
 */
export function createTlsOptions(files: TlsFiles, handshakeTimeout: number): ServerOptions {
  return {
    ...readCredentials(files),
    handshakeTimeout,
    requestCert: true,
    rejectUnauthorized: true,
    // For callers that name the service, which are all but those that call an address.
    SNICallback: (_name, answer) => {
      try {
        answer(null, createSecureContext(readCredentials(files)));
      } catch (error) {
        answer(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

/** `fetch` that shows a certificate. The files are read anew for each connection, so that renewal needs no restart. */
export function createTlsFetch(files: TlsFiles) {
  const client = createClient(files);
  return async (url: URL, init: RequestInit) => {
    const { fetch, dispatcher } = await client;
    return fetch(url, { ...init, dispatcher });
  };
}

async function createClient(files: TlsFiles) {
  // Loaded only where it is used, because it takes part of the start.
  const { Agent, buildConnector, fetch } = await import('undici');
  const dispatcher = new Agent({
    // A resumed session would go on with the old certificates.
    connect: (options, answer) =>
      buildConnector({ ...readCredentials(files), maxCachedSessions: 0 })(options, answer),
  });
  return { fetch, dispatcher };
}

function readCredentials({ authorityFile, certificateFile, keyFile }: TlsFiles) {
  return {
    ca: readFileSync(authorityFile),
    cert: readFileSync(certificateFile),
    key: readFileSync(keyFile),
  };
}
