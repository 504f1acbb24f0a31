import { quoteValue } from '../../decode/quote-value.ts';
import { SourceError } from '../../source/source.ts';

/** The database and tables of the spans, the user, and the limits of a query. */
export interface ClickhouseAddress {
  /** For people and messages, without the password. */
  readonly name: string;
  /** Without credentials, database and options. */
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** Analysed one after the other, as shards are. */
  readonly tables: readonly string[];
  /** Each shard of it analyses its own table. */
  readonly cluster: string | null;
  /** Spans that leave the database for a window, about. */
  readonly most: number;
  /** Bytes that a query may use on each server. */
  readonly memory: number;
  /** Seconds that a query may take. */
  readonly seconds: number;
}

const example = 'clickhouse=https://auditor@clickhouse:8443/otel';
const optionNames = ['table', 'cluster', 'most', 'memory', 'seconds'];

/** 4 GiB: half of that spills to disk. */
const usual = { most: 200_000, memory: 4 * 1024 ** 3, seconds: 600 } as const;

/**
 * Reads `https://user:password@host:8443/database?table=otel_traces&cluster=NAME`. User and password may stand in `CLICKHOUSE_USER` and
 * `CLICKHOUSE_PASSWORD` instead.
 * @throws {SourceError} when it is no such URL.
 */
export function readClickhouseAddress(
  target: string,
  environment: Readonly<Record<string, string | undefined>>,
): ClickhouseAddress {
  const url = URL.canParse(target) ? new URL(target) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // The text may hold a password.
    throw new SourceError(`--source clickhouse: not an http or https URL; for instance ${example}`);
  }
  const name = `clickhouse=${url.origin}${url.pathname}`;
  const [, database = '', ...rest] = url.pathname.split('/').map((part) => decode(part, 'the database'));
  if (database === '' || rest.length > 0) {
    throw new SourceError(`--source ${name}: expected one database behind the host; for instance ${example}`);
  }
  const unknown = [...url.searchParams.keys()].find((key) => !optionNames.includes(key));
  if (unknown !== undefined) {
    throw new SourceError(
      `--source ${name}: ${quoteValue(unknown)} is no option; use one of ${optionNames.join(', ')}`,
    );
  }
  const readCount = (key: keyof typeof usual): number => {
    const text = url.searchParams.get(key);
    if (text === null) return usual[key];
    if (!/^[1-9]\d{0,14}$/.test(text)) {
      throw new SourceError(`--source ${name}: ${key}=${quoteValue(text)} is not a whole number above 0`);
    }
    return Number(text);
  };
  return {
    name,
    url: url.origin,
    database,
    username: decode(url.username, 'the user') || environment.CLICKHOUSE_USER || 'default',
    password: decode(url.password, 'the password') || environment.CLICKHOUSE_PASSWORD || '',
    tables: url.searchParams.has('table') ? url.searchParams.getAll('table') : ['otel_traces'],
    cluster: url.searchParams.get('cluster'),
    most: readCount('most'),
    memory: readCount('memory'),
    seconds: readCount('seconds'),
  };
}

/** The text may be a password, so that the message is without it. */
function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SourceError(
      `--source clickhouse: ${part} of the URL has a % that begins no byte; write it as %25, or set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD`,
    );
  }
}
