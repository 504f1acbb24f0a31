import { readText } from '../calls/fact-source.ts';
import type { Span } from '../span/span.ts';
import type { Draft } from './draft.ts';
import { isFromBrowser } from './fix-by-surroundings.ts';
import type { Scene } from './scene.ts';
import { moveToFront } from './split-causes.ts';

/**
 * A browser page sends no header to another origin unless its instrumentation is configured to (`propagateTraceHeaderCorsUrls`). A missing
 * setting is likelier than a proxy that strips the header.
 */
export function prepareRankByOrigin(scene: Scene): (draft: Draft) => Draft {
  if (!scene.facts.maySome(({ name }) => name === ofPages)) return (draft) => draft;
  return (draft) => {
    if (draft.candidates?.includes('header-not-sent') !== true || !isFromBrowser(draft)) return draft;
    const loads = scene.selectSpans(draft.client, (row) => scene.facts.nameOf(row) === ofPages);
    const pages = new Set(loads.flatMap(readOrigin));
    const called = draft.shown.flatMap(({ client }) => (client === null ? [] : readOrigin(client)));
    const isElsewhere = pages.size > 0 && called.length > 0 && called.every((origin) => !pages.has(origin));
    return isElsewhere ? { ...draft, candidates: moveToFront(draft.candidates, 'header-not-sent') } : draft;
  };
}

/** The span name for loading a page. */
const ofPages = 'documentLoad';

/** None if the URL is unknown or relative. */
function readOrigin(span: Span): readonly string[] {
  const url = readText(span, 'url.full', 'http.url') ?? '';
  return URL.canParse(url) ? [new URL(url).origin] : [];
}
