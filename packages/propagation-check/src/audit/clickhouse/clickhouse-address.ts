import { quoteValue } from '../../decode/quote-value.ts';
import { SourceError } from '../../source/source.ts';

/** The database and tables of the spans, the user, and the limits of a query. */
export interface ClickhouseAddress {
  /** For messages; without the password. */
  readonly name: string;
  /** Without credentials, database and parameters. */
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** Analysed one after the other; a trace is in one table only, as with shards. */
  readonly tables: readonly string[];
  /** Each shard of the cluster analyses its own table. */
  readonly cluster: string | null;
  /** About how many spans of a window leave the database. */
  readonly most: number;
  /** The most bytes of memory that a query may use on each server. */
  readonly memory: number;
  /** The longest time of a query. */
  readonly seconds: number;
}

const example = 'clickhouse=https://auditor@clickhouse:8443/otel';
const optionNames = ['table', 'cluster', 'most', 'memory', 'seconds'];

/** The memory is 4 GiB: grouping spills to disk at half of it. */
const usual = { most: 200_000, memory: 4 * 1024 ** 3, seconds: 600 } as const;

/**
 * Reads `https://user:password@host:8443/database?table=otel_traces&cluster=NAME`. The user and password may come from `CLICKHOUSE_USER` and
 * `CLICKHOUSE_PASSWORD` instead.
 * @throws {SourceError} when the text is not such a URL.
 */
export function readClickhouseAddress(
  target: string,
  environment: Readonly<Record<string, string | undefined>>,
): ClickhouseAddress {
  const url = URL.canParse(target) ? new URL(target) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // The message leaves the text out, because it may hold a password.
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

/** The message leaves the text out, because it may be a password. */
function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SourceError(
      `--source clickhouse: ${part} of the URL has a % that begins no byte; write it as %25, or set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD`,
    );
  }
}
