/** Certificates for one stack: an authority whose key is discarded, and one certificate for each identity. */
// Must be imported first, because a dependency of the certificate library needs it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** The owner of a certificate: the name to which others connect, and whether it is a server, a client, or both. */
export interface Identity {
  readonly name: string;
  readonly usages: readonly ('server' | 'client')[];
}

/** Authority, certificate and key in PEM. */
export interface Credentials {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** ECDSA with P-256: every TLS library supports it, and a key is generated in a millisecond. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Certificates become valid this much earlier, for machines whose clock is behind. */
const clockToleranceMillis = 60_000;
const extendedUsages = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const;

/** Issues certificates, by the name of the identity. Only their holders trust each other, because the authority's key is discarded. */
export async function issueCertificates(
  identities: readonly Identity[],
  lifetimeMillis: number,
): Promise<ReadonlyMap<string, Credentials>> {
  const authorityKeys = await createKeys();
  const notBefore = new Date(Date.now() - clockToleranceMillis);
  const notAfter = new Date(Date.now() + lifetimeMillis);
  const issuer = 'CN=stack authority';
  const validity = { notBefore, notAfter, signingAlgorithm: algorithm };
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: issuer,
    keys: authorityKeys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  const issued = identities.map(async ({ name, usages }) => {
    const { publicKey, privateKey } = await createKeys();
    const certificate = await X509CertificateGenerator.create({
      ...validity,
      subject: `CN=${name}`,
      issuer,
      publicKey,
      signingKey: authorityKeys.privateKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(usages.map((usage) => extendedUsages[usage])),
        // `localhost` is for the service's own health check.
        new SubjectAlternativeNameExtension([name, 'localhost'].map((value) => ({ type: 'dns', value }))),
      ],
    });
    const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
    return [name, { authority: toPem(authority), certificate: toPem(certificate), key: `${key}\n` }] as const;
  });
  return new Map(await Promise.all(issued));
}

function createKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function toPem(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem')}\n`;
}
