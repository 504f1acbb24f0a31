/**
 * Runs once before the stack starts. Changes the owner of each data volume to its user, and writes the OTLP token, and with TLS=on
 * short-lived certificates, to the volumes of the containers that need them. Valid files are kept.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Credentials, type Identity, issueCertificates } from './certificates.ts';
import { ConfigError, readConfig } from './config.ts';
import { chooseToken } from './token.ts';
import { readIfPresent, removeSecret, writeSecret } from './volume.ts';

/** A container with a volume for credentials, which only the container's user can read, and a volume for data. */
interface Holder extends Identity {
  readonly uid: number;
}

const serviceA: Holder = { name: 'service-a', uid: 1000, usages: ['client'] };
const serviceB: Holder = { name: 'service-b', uid: 1000, usages: ['server', 'client'] };
const collector: Holder = { name: 'otel-collector', uid: 10001, usages: ['server', 'client'] };
const jaeger: Holder = { name: 'jaeger', uid: 10001, usages: ['server'] };
const holders = [serviceA, serviceB, collector, jaeger] as const;

const fileOf = { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' } as const;

try {
  const { volumes, tokenFile, certificateLifetimeMillis } = readConfig(process.env);
  await handOverData(join(volumes, 'data'));
  const credentials = join(volumes, 'credentials');
  const said = [
    await provideToken(credentials, tokenFile),
    certificateLifetimeMillis === null
      ? await removeCertificates(credentials)
      : await provideCertificates(credentials, certificateLifetimeMillis),
  ];
  process.stdout.write(`init: ${said.join(', ')}\n`);
} catch (error) {
  process.stderr.write(`init: ${describe(error)}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}

/** Other containers may have a data volume too: with OBSERVE=on the sink. */
async function handOverData(folder: string): Promise<void> {
  const owners = new Map((await readdir(folder)).map((name) => [name, serviceA.uid]));
  for (const { name, uid } of holders) owners.set(name, uid);
  for (const [name, uid] of owners) await chown(join(folder, name), uid, uid);
}

async function provideToken(folder: string, tokenFile: string): Promise<string> {
  const given = await readGivenToken(tokenFile);
  const present = await readIfPresent(join(folder, collector.name, 'token'));
  const token = chooseToken(given, present);
  for (const { name, uid } of [collector, serviceA, serviceB]) {
    await writeSecret(join(folder, name, 'token'), token, uid);
  }
  if (given.trim() !== '') return 'token taken from OTLP_TOKEN_FILE';
  return token === present ? 'token kept' : 'token made';
}

/** Reads the user's token; empty without a file. */
async function readGivenToken(path: string): Promise<string> {
  try {
    return (await readIfPresent(path)) ?? '';
  } catch (error) {
    throw new ConfigError(
      `OTLP_TOKEN_FILE cannot be read (${describe(error)}); name a file that holds a token`,
    );
  }
}

async function provideCertificates(folder: string, lifetimeMillis: number): Promise<string> {
  const present = await Promise.all(holders.map(({ name }) => readCredentials(join(folder, name))));
  if (areGood(present, lifetimeMillis)) return 'certificates kept';
  const issued = await issueCertificates(holders, lifetimeMillis);
  for (const { name, uid } of holders) {
    const credentials = issued.get(name);
    if (credentials === undefined) continue;
    for (const part of ['authority', 'certificate', 'key'] as const) {
      await writeSecret(join(folder, name, fileOf[part]), credentials[part], uid);
    }
  }
  return `certificates made, good until ${new Date(Date.now() + lifetimeMillis).toISOString()}`;
}

async function removeCertificates(folder: string): Promise<string> {
  const paths = holders.flatMap(({ name }) => Object.values(fileOf).map((file) => join(folder, name, file)));
  await Promise.all(paths.map(removeSecret));
  return 'no TLS';
}

/**
 * Whether all certificates come from one authority, match their keys, and are valid for more than a tenth of their lifetime.
 * They are not renewed earlier, because the Collector reads the certificate authority only at its start.
 */
function areGood(present: readonly (Credentials | null)[], lifetimeMillis: number): boolean {
  const now = Date.now();
  return present.every((credentials) => {
    if (credentials === null || credentials.authority !== present[0]?.authority) return false;
    try {
      const certificate = new X509Certificate(credentials.certificate);
      const authority = new X509Certificate(credentials.authority);
      return (
        certificate.verify(authority.publicKey) &&
        certificate.checkPrivateKey(createPrivateKey(credentials.key)) &&
        certificate.validFromDate.getTime() <= now &&
        certificate.validToDate.getTime() > now + lifetimeMillis / 10
      );
    } catch {
      // The file is not PEM, or is truncated.
      return false;
    }
  });
}

async function readCredentials(folder: string): Promise<Credentials | null> {
  const [authority, certificate, key] = await Promise.all(
    [fileOf.authority, fileOf.certificate, fileOf.key].map((file) => readIfPresent(join(folder, file))),
  );
  return authority && certificate && key ? { authority, certificate, key } : null;
}

/** Other errors are for the machine's operator, whom a stack trace would not help. */
function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
