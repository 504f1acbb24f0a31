import { readFileSync } from 'node:fs';
import { Agent, buildConnector, fetch } from 'undici';
import type { Fetch } from './call-b.ts';

/** Paths, each of a file in PEM format. */
export interface TlsFiles {
  /** Whom service B's certificate has to come from. */
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** `fetch` that shows a certificate. The files are read anew for each connection, so that renewal needs no restart. */
export function createTlsFetch(files: TlsFiles): Fetch {
  const dispatcher = new Agent({
    // A resumed session would go on with the old certificates.
    connect: (options, answer) =>
      buildConnector({ ...readCredentials(files), maxCachedSessions: 0 })(options, answer),
  });
  return (url, init) => fetch(url, { ...init, dispatcher });
}

function readCredentials({ authorityFile, certificateFile, keyFile }: TlsFiles) {
  return {
    ca: readFileSync(authorityFile),
    cert: readFileSync(certificateFile),
    key: readFileSync(keyFile),
  };
}
