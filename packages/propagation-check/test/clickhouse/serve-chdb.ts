// Answers ClickHouse's HTTP interface with the embedded engine: `node serve-chdb.ts CHDB-FOLDER DATA-FOLDER [PASSWORD]` prints its port.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

interface Session {
  queryAsync(sql: string, options: { readonly format: string }): Promise<{ bytes(): Uint8Array }>;
  close(): void;
}

const [folder = '', data = '', password = ''] = process.argv.slice(2);
const { Session } = createRequire(join(folder, 'package.json'))('chdb') as {
  Session: new (path: string) => Session;
};
const session = new Session(data);

/** Parameters of the interface itself; all others are settings of a query. */
const own = new Set(
  'query database user password default_format query_id session_id enable_http_compression compress decompress role'.split(
    ' ',
  ),
);

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    const text = (error instanceof Error ? error.message : String(error)).replace(/^.*?(?=Code: \d+\.)/s, '');
    response
      .writeHead(500, { 'x-clickhouse-exception-code': /Code: (\d+)/.exec(text)?.[1] ?? '0' })
      .end(text);
  });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const isKnown = Buffer.from(
    request.headers.authorization?.replace('Basic ', '') ?? '',
    'base64',
  ).toString();
  if (password !== '' && isKnown !== `auditor:${password}`)
    throw new Error('Code: 516. DB::Exception: auditor: Authentication failed. (AUTHENTICATION_FAILED)');
  const settings = [...searchParams]
    .filter(([key]) => !own.has(key))
    .map(([key, value]) => `${key} = '${value}'`);
  // This setting must apply before the query is parsed.
  const longest = searchParams.get('max_query_size');
  if (longest !== null)
    await session.queryAsync(`SET max_query_size = ${longest}`, { format: 'TabSeparated' });
  const query = searchParams.get('query') ?? '';
  const sql =
    query === ''
      ? `${body}${settings.length === 0 ? '' : `\nSETTINGS ${settings.join(', ')}`}`
      : `${query}\n${body}`;
  const result = await session.queryAsync(sql, {
    format: searchParams.get('default_format') ?? 'TabSeparated',
  });
  const isPacked =
    /gzip/.test(request.headers['accept-encoding'] ?? '') &&
    searchParams.get('enable_http_compression') === '1';
  response.writeHead(200, isPacked ? { 'content-encoding': 'gzip' } : {});
  response.end(isPacked ? gzipSync(result.bytes(), { level: 1 }) : result.bytes());
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
process.once('SIGTERM', () => {
  session.close();
  process.exit(0);
});
