import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from 'service-kit/server';
import { type Credentials, issueCertificates } from 'stack-init/src/certificates.ts';

const hour = 3_600_000;

export interface IssuedFiles extends AsyncDisposable {
  readonly credentials: Credentials;
  readonly files: TlsFiles;
  /** The variables of a service that speaks TLS with these files. */
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
  const files = {
    authorityFile: path('authority'),
    certificateFile: path('certificate'),
    keyFile: path('key'),
  };
  const credentials = await issue();
  await write(credentials);
  return {
    credentials,
    write,
    files,
    env: {
      TLS_AUTHORITY_FILE: files.authorityFile,
      TLS_CERTIFICATE_FILE: files.certificateFile,
      TLS_KEY_FILE: files.keyFile,
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
