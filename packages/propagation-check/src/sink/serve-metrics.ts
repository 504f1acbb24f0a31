import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { findingIds } from '../rules/finding.ts';
import { findDocsFolder } from '../source/find-docs-folder.ts';
import { describeListenError } from '../source/listen.ts';
import { SourceError } from '../source/source.ts';
import type { EdgeCount } from './edge-counters.ts';
import { allFindings, qualityPath, renderQualityMetrics } from './quality-metrics.ts';
import type { Address } from './read-address.ts';

/** What the HTTP server of a sink answers. */
export interface MetricsSources {
  readonly contentType: string;
  readonly renderMetrics: () => Promise<string>;
  readonly listCounts: () => readonly EdgeCount[];
  /** Why the sink accepts no exports now, or null. */
  readonly findObstacle: () => string | null;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000 } as const;
const maxConnections = 100;

/** Serves `/metrics`, `/healthz`, `/readyz` and `/api/quality-metrics`. @throws {SourceError} when it cannot listen. */
export async function serveMetrics({ host, port }: Address, sources: MetricsSources): Promise<MetricsServer> {
  const server = createServer(timeouts, (request, response) => {
    answer(request, sources).then(
      (found) => send(response, found),
      () => send(response, { status: 500, type: plain, body: 'a fault of the sink\n' }),
    );
  });
  // Also ends connections of clients that do not read the answer.
  server.setTimeout(timeouts.requestTimeout);
  server.maxConnections = maxConnections;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new SourceError(describeListenError(error, `--metrics ${host}:${port}`, '; name a free one'));
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const plain = 'text/plain; charset=utf-8';
const json = 'application/json; charset=utf-8';

async function answer(request: IncomingMessage, sources: MetricsSources): Promise<Answer> {
  const path = request.url ?? '/';
  // Proxies may send the absolute form of the URL.
  const target = path.startsWith('/') ? `http://sink${path}` : path;
  if (!URL.canParse(target)) return { status: 400, type: plain, body: 'not a path\n' };
  const url = new URL(target);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, type: plain, body: 'use GET\n', headers: { allow: 'GET, HEAD' } };
  switch (url.pathname) {
    case '/metrics':
      return { status: 200, type: sources.contentType, body: await sources.renderMetrics() };
    case '/healthz':
      return { status: 200, type: plain, body: 'ok\n' };
    case '/readyz': {
      const obstacle = sources.findObstacle();
      return { status: obstacle === null ? 200 : 503, type: plain, body: `${obstacle ?? 'ok'}\n` };
    }
    case `/${qualityPath}`:
      return answerQuality(url.searchParams, sources);
    default:
      return {
        status: 404,
        type: plain,
        body: 'not found; /metrics, /healthz, /readyz, /api/quality-metrics?service=NAME; exports go to the ports of --listen\n',
      };
  }
}

async function answerQuality(query: URLSearchParams, { listCounts }: MetricsSources): Promise<Answer> {
  const finding = query.get('finding');
  if (finding !== null) return answerPage(finding);
  const service = query.get('service') ?? '';
  if (service !== '')
    return { status: 200, type: json, body: JSON.stringify(renderQualityMetrics(service, listCounts())) };
  const errors = [{ code: 400, msg: 'name a service: ?service=NAME' }];
  return { status: 400, type: json, body: JSON.stringify({ errors }) };
}

/** The page of a finding, to which the links of the quality metrics lead. */
async function answerPage(finding: string): Promise<Answer> {
  const folder = findDocsFolder();
  const isKnown = finding === allFindings || findingIds.some((id) => id === finding);
  if (!isKnown || folder === null) return { status: 404, type: plain, body: 'no such finding\n' };
  const body = await readFile(join(folder, 'docs/findings', `${finding}.md`), 'utf8');
  return { status: 200, type: plain, body };
}

function send(response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, {
    ...{ 'content-type': type, 'content-length': Buffer.byteLength(body) },
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? '' : body);
}
