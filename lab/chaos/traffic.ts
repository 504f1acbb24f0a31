import { type Answer, AnswerError, parseAnswer } from 'demo';
import { Agent, request } from 'undici';

/** The result of one request. */
export interface Outcome {
  /** HTTP status, or null without a complete answer: refused, cut off, or too late. */
  readonly status: number | null;
  /** Service A's answer; null unless the status is 200. */
  readonly answer: Answer | null;
}

/** Disposal ends the traffic without waiting for requests in flight. */
export interface Traffic extends AsyncDisposable {
  /** Sets the rate from now on, in requests per second. */
  setRate(rate: number): void;
  /** Ends the traffic and waits for requests in flight. Resolves with one outcome for each request that was sent. */
  stop(): Promise<readonly Outcome[]>;
}

export interface TrafficOptions {
  readonly url: URL;
  /** Requests per second. */
  readonly rate: number;
  /** Maximum number of requests. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

const answerTimeoutMs = 10_000;
const tickMs = 10;
/** More than any service answers at the same time; further requests wait for a connection. */
const connections = 256;

/**
 * Sends requests at a constant rate whether or not they are answered (open loop), over keep-alive connections. No request is retried, so
 * each outcome is of exactly one request.
 */
export function startTraffic({ url, rate, limit, signal }: TrafficOptions): Traffic {
  const agent = new Agent({ connections, pipelining: 1, connect: { timeout: answerTimeoutMs } });
  const outcomes: Promise<Outcome>[] = [];
  let pace = { since: performance.now(), before: 0, rate };

  const timer = setInterval(() => {
    const due = pace.before + Math.floor(((performance.now() - pace.since) / 1000) * pace.rate);
    while (outcomes.length < Math.min(due, limit)) outcomes.push(send(agent, url, signal));
  }, tickMs);

  return {
    setRate: (next) => {
      pace = { since: performance.now(), before: outcomes.length, rate: next };
    },
    stop: async () => {
      clearInterval(timer);
      const all = await Promise.all(outcomes);
      await agent.close();
      return all;
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      if (!agent.destroyed) await agent.destroy();
    },
  };
}

async function send(agent: Agent, url: URL, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await request(url, {
      dispatcher: agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
    });
    const body = await response.body.text();
    return { status: response.statusCode, answer: response.statusCode === 200 ? readAnswer(body) : null };
  } catch {
    return { status: null, answer: null };
  }
}

function readAnswer(body: string): Answer | null {
  try {
    return parseAnswer(body);
  } catch (error) {
    if (error instanceof AnswerError) return null;
    throw error;
  }
}
