import { readText } from '../calls/call-facts.ts';
import type { Span } from '../span/span.ts';
import type { Draft, Scene } from './check.ts';
import { isFromBrowser } from './fix-by-surroundings.ts';

/**
 * A page sends no header to another origin than its own unless its instrumentation is told to (`propagateTraceHeaderCorsUrls`), which
 * is forgotten more often than a proxy strips it.
 */
export function rankByOrigin(scene: Scene, draft: Draft): Draft {
  if (draft.candidates?.includes('header-not-sent') !== true || !isFromBrowser(draft)) return draft;
  const pages = new Set(scene.selectSpans(draft.client, isPageLoad(scene)).map(readOrigin));
  const isElsewhere = draft.shown.every(({ client }) => client !== null && !pages.has(readOrigin(client)));
  if (pages.size === 0 || !isElsewhere) return draft;
  const others = draft.candidates.filter((cause) => cause !== 'header-not-sent');
  return { ...draft, candidates: ['header-not-sent', ...others] };
}

function isPageLoad({ facts }: Scene): (row: number) => boolean {
  return (row) =>
    facts.nameOf(row) === 'documentLoad' &&
    facts.scopeOf(row) === '@opentelemetry/instrumentation-document-load';
}

function readOrigin(span: Span): string | null {
  const url = readText(span, 'url.full', 'http.url');
  return url !== null && URL.canParse(url) ? new URL(url).origin : null;
}
