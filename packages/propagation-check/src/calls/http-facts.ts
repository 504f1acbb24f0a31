import { parseUrl, readUrl } from './address.ts';
import { type FactSource, readNumber, readText } from './fact-source.ts';

export function readMethod(span: FactSource): string | null {
  return readText(span, ...methodNames, 'method')?.toUpperCase() ?? null;
}

/** Whether the span records its method as Micrometer does, outside the semantic conventions. */
export function isOfMicrometer(span: FactSource): boolean {
  return readText(span, ...methodNames) === null && readText(span, 'method') !== null;
}

const methodNames = ['http.request.method', 'http.method'] as const;

export function readPath(span: FactSource): string | null {
  const target = withoutQuery(readText(span, 'url.path', 'http.target', 'http.path'));
  return target ?? parseUrl(readUrl(span))?.path ?? readPathOfUrl(span);
}

export function readRoute(span: FactSource): string | null {
  return readText(span, 'http.route') ?? readRouteOfName(span);
}

/**
 * A SERVER span is named `{method} {route}` where the route is known (semantic conventions, HTTP spans, "Name"); Micrometer names it `http
 * {method} {route}`.
 */
function readRouteOfName(span: FactSource): string | null {
  return span.kind === 'SERVER' ? (/^(?:http )?[a-z]+ (\/\S*)$/i.exec(span.name)?.[1] ?? null) : null;
}

/** Micrometer's servers write only the path into `http.url`. */
function readPathOfUrl(span: FactSource): string | null {
  const url = readText(span, 'http.url');
  return url?.startsWith('/') ? withoutQuery(url) : null;
}

function withoutQuery(path: string | null): string | null {
  if (path === null) return null;
  if (!path.startsWith('/') && /^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return parseUrl(path)?.path ?? null;
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

export function readUserAgent(span: FactSource): string | null {
  return readText(span, 'user_agent.original', 'http.user_agent');
}

export function readStatusCode(span: FactSource): number | null {
  return readAnyStatus(span) || null;
}

/** Browsers record status 0 for a request that failed or that CORS refused (Fetch standard, "network error"). */
export const noStatus = 0;

/** Whether a browser did not send the request, or hid its answer from the page. */
export function isHiddenByBrowser(span: FactSource): boolean {
  return span.kind === 'CLIENT' && readAnyStatus(span) === noStatus;
}

export function readAnyStatus(span: FactSource): number | null {
  return readNumber(span, 'http.response.status_code', 'http.status_code', 'status');
}
