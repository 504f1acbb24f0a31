import { type Answer, parseAnswer } from 'demo';

export interface Traffic {
  /**
   * Resolves when `count` requests have been answered with 200.
   * @throws {Error} when every connection has ended before that. The message says how the last one ended.
   */
  answered(count: number): Promise<void>;
  /** Ends the traffic; resolves with every answer with status 200. */
  stop(): Promise<readonly Answer[]>;
}

/** Much longer than service A's timeout for service B, 2 s. */
const answerMillis = 40_000;

/** Sends requests one after the other on each connection, until one is not answered with 200. */
export function startTraffic(serviceA: URL, connections: number): Traffic {
  const url = new URL('/call-b', serviceA);
  const answers: Answer[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const over = new AbortController();
  let ending = '';
  const send = async () => {
    try {
      for (;;) {
        answers.push(await ask(url, AbortSignal.any([over.signal, AbortSignal.timeout(answerMillis)])));
        for (const { count, resolve } of waiting) if (answers.length >= count) resolve();
      }
    } catch (error) {
      ending = describe(error);
    }
  };
  const ended = Promise.all(Array.from({ length: connections }, send));
  return {
    async answered(count) {
      if (answers.length >= count) return;
      const reached = new Promise<void>((resolve) => waiting.push({ count, resolve }));
      await Promise.race([reached, ended]);
      if (answers.length < count) {
        throw new Error(`${answers.length} of ${count} requests were answered with 200, then: ${ending}`);
      }
    },
    async stop() {
      over.abort();
      await ended;
      return answers;
    },
  };
}

async function ask(url: URL, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { signal });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${body}`);
  return parseAnswer(body);
}

/** `fetch` reports only "fetch failed"; the error's cause has the reason. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
