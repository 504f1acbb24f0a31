import { setTimeout as sleep } from 'node:timers/promises';
import { escapeControls } from '../decode/quote-value.ts';
import { countOf } from '../util/count-of.ts';
import { SourceError } from './source.ts';

const maxRedirects = 3;
const longestPauseMs = 10_000;

export interface HttpAnswer {
  readonly url: URL;
  readonly status: number;
  /** Lower case, without parameters; empty when the answer has none. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** An answer with the headers that decide about the next request. */
export interface RawAnswer extends HttpAnswer {
  readonly location: string;
  readonly retryAfter: string;
}

type Ask = (url: URL) => Promise<RawAnswer>;

/** The server of the request. */
interface Asked {
  readonly name: string;
  /** Advice for missing credentials. */
  readonly advice: string;
}

/**
 * Follows redirects within the origin, and retries after the statuses 429 and 503.
 * @throws {SourceError} on 401 and 403, on a redirect to another origin, and after the last attempt.
 */
export async function followPolicy(
  asked: Asked,
  first: URL,
  attempts: number,
  ask: Ask,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  const { name } = asked;
  let url = first;
  let redirects = 0;
  for (let attempt = 1; ; ) {
    const answer = await ask(url);
    if (isRedirect(answer.status) && answer.location !== '') {
      redirects += 1;
      if (redirects > maxRedirects) throw new SourceError(`${name}: more than ${maxRedirects} redirects`);
      url = checkRedirect(asked, url, answer.location);
    } else if (answer.status === 429 || answer.status === 503) {
      if (attempt >= attempts) throw new SourceError(describePersistent(name, answer, attempts));
      await sleep(
        pauseMs(answer.retryAfter, attempt),
        undefined,
        signal === undefined ? {} : { signal },
      ).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error;
      });
      attempt += 1;
    } else {
      checkAccess(asked, answer);
      return answer;
    }
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** Refuses a redirect to another origin: it must not receive credentials, and is rarely the API. */
function checkRedirect({ name, advice }: Asked, from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : null;
  if (to?.origin === from.origin) return to;
  const where = escapeControls(to?.origin ?? 'an address that is not valid');
  throw new SourceError(
    `${name}: redirects to ${where}; if that is a login page, ${advice}, otherwise use that URL`,
  );
}

function checkAccess({ name, advice }: Asked, answer: HttpAnswer): void {
  if (answer.status !== 401 && answer.status !== 403) return;
  const what = answer.status === 401 ? 'asks for credentials (401)' : 'refuses access (403)';
  throw new SourceError(`${name}: ${what}: ${summarize(answer)}; ${advice}`);
}

function describePersistent(name: string, answer: HttpAnswer, attempts: number): string {
  const what = answer.status === 429 ? 'limits the rate of requests (429)' : 'is not available (503)';
  return `${name}: ${what} after ${countOf(attempts, 'attempt')}: ${summarize(answer)}`;
}

/**
 * How long to wait before the next attempt.
 * @param retryAfter Seconds or a date (RFC 9110, 10.2.3). Without either, the pause is up to 200 ms, doubled with each attempt.
 */
function pauseMs(retryAfter: string, attempt: number): number {
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  const pause = Number.isNaN(seconds) ? 200 * 2 ** (attempt - 1) * (0.5 + Math.random() / 2) : seconds;
  return Math.min(Math.max(pause, 0), longestPauseMs);
}

/** Whether a web page answered, for instance a login page or another program's start page. */
export function isHtml({ body, contentType = '' }: Answered): boolean {
  const start = new TextDecoder().decode(body.subarray(0, 100)).trimStart().toLowerCase();
  return contentType === 'text/html' || start.startsWith('<!doctype html') || start.startsWith('<html');
}

type Answered = Pick<HttpAnswer, 'body'> & Partial<Pick<HttpAnswer, 'contentType'>>;

/** The beginning of an answer's text, escaped for a terminal. The text of a web page is left out: it explains nothing. */
export function summarize(answer: Answered): string {
  if (isHtml(answer)) return 'a web page';
  const text = new TextDecoder().decode(answer.body.subarray(0, 400)).replace(/\s+/g, ' ').trim();
  return text === '' ? 'no text' : `“${escapeControls(text.slice(0, 200))}”`;
}
