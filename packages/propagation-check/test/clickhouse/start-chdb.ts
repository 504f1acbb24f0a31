import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Span } from '../../src/span/span.ts';
import { clickhouseRow } from '../decode/write-formats.ts';

/** The folder to which `.ci/install-clickhouse` installs the embedded engine, which is too large for a dependency. */
const folder = join(
  process.env.PROPAGATION_CI_CACHE || join(homedir(), '.cache', 'propagation-check-ci'),
  'chdb-3.4.0',
);

/** The reason for skipping tests of ClickHouse; false if they run. CI has the engine. */
export const withoutChdb =
  existsSync(join(folder, 'node_modules', 'chdb')) || process.env.CI === 'true'
    ? false
    : 'the embedded ClickHouse is not here; run .ci/install-clickhouse';

export interface Chdb {
  readonly url: string;
  /** The id of the process with the engine. */
  readonly pid: number;
  /** The folder of its data. */
  readonly data: string;
  readonly client: ClickHouseClient;
  stop(): Promise<void>;
}

/** Inserting generated data takes long. */
const patienceMs = 600_000;

export async function startChdb(password = ''): Promise<Chdb> {
  const data = mkdtempSync(join(tmpdir(), 'chdb-'));
  const script = join(import.meta.dirname, 'serve-chdb.ts');
  const child = spawn(process.execPath, [script, folder, data, password], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = `http://127.0.0.1:${await readLine(child)}`;
  const client = createClient({
    url,
    username: 'auditor',
    password,
    request_timeout: patienceMs,
    log: { level: ClickHouseLogLevel.OFF },
  });
  return {
    url,
    pid: child.pid ?? 0,
    data,
    client,
    stop: async () => {
      await client.close();
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function readLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface(stdout)) return line;
  throw new Error('the embedded ClickHouse did not start');
}

const schema = readFileSync(join(import.meta.dirname, 'otel-traces.sql'), 'utf8');

/** Makes an empty table with the schema of the Collector's exporter. */
export async function makeTable({ client }: Chdb, database: string, table: string): Promise<void> {
  await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  await client.command({ query: schema.replace('{database}', database).replace('{table}', table) });
  await client.command({ query: `TRUNCATE TABLE ${database}.${table}` });
}

/** Makes a table, and writes spans as the Collector's exporter does. */
export async function writeTable(
  chdb: Chdb,
  database: string,
  table: string,
  spans: readonly Span[],
): Promise<void> {
  await makeTable(chdb, database, table);
  if (spans.length === 0) return;
  const values = spans.map(writeRow);
  await chdb.client.insert({ table: `${database}.${table}`, values, format: 'JSONEachRow' });
}

/** Adds status and `tracestate`, which `clickhouseRow` leaves out. */
function writeRow(span: Span): object {
  const { code, message } = span.status;
  const status = code.charAt(0) + code.slice(1).toLowerCase();
  return {
    ...clickhouseRow(span),
    TraceState: span.traceState,
    StatusCode: status,
    StatusMessage: message,
    'Links.TraceState': span.links.map(() => ''),
    'Links.Attributes': span.links.map(() => ({})),
  };
}
