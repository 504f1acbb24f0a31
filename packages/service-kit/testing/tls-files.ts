import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, issueCertificates } from 'stack-init/src/certificates.ts';

const hour = 3_600_000;

export interface IssuedFiles extends AsyncDisposable {
  readonly credentials: Credentials;
  readonly env: Readonly<Record<'TLS_AUTHORITY_FILE' | 'TLS_CERTIFICATE_FILE' | 'TLS_KEY_FILE', string>>;
  write(next: Credentials): Promise<void>;
}

/** A certificate of a new authority. */
export async function issue(): Promise<Credentials> {
  const issued = await issueCertificates([{ name: 'service', usages: ['server', 'client'] }], hour);
  const credentials = issued.get('service');
  if (credentials === undefined) throw new Error('no certificate');
  return credentials;
}

/** The files of a service that speaks TLS; they go away with the test. */
export async function issueTlsFiles(): Promise<IssuedFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  const path = (part: string) => join(folder, `${part}.pem`);
  const write = async (next: Credentials) => {
    for (const part of ['authority', 'certificate', 'key'] as const) await writeFile(path(part), next[part]);
  };
  const credentials = await issue();
  await write(credentials);
  return {
    credentials,
    write,
    env: {
      TLS_AUTHORITY_FILE: path('authority'),
      TLS_CERTIFICATE_FILE: path('certificate'),
      TLS_KEY_FILE: path('key'),
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
