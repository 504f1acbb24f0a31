import type { TestContext } from 'node:test';
import type { Source } from '../../src/source/source.ts';
import { answer, startHttpServer, targetOf } from './http-server.ts';

export type Answer = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>];

/** Starts a store with the given answers, and a source that reads it. */
export async function startStore(
  t: TestContext,
  createSource: (url: URL) => Source | Promise<Source>,
  answers: (path: string, query: URLSearchParams) => Answer,
) {
  const asked: string[] = [];
  const url = await startHttpServer(t, (request, response) => {
    const { pathname, searchParams } = targetOf(request);
    asked.push(pathname);
    answer(response, ...answers(pathname, searchParams));
  });
  const source = await createSource(url);
  t.after(() => source.close());
  return { source, asked, origin: url.origin };
}
