import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { clip } from '../../report/fit-text.ts';
import { type Layout, paint } from '../../report/layout.ts';
import { keyOf, type WatchedEdge } from './call-tracker.ts';
import { renderEdgesView, type Screen, type WatchState } from './render-edges.ts';

/** A key, by its name for people. */
export type Key =
  | 'up'
  | 'down'
  | 'pageup'
  | 'pagedown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'finding'
  | 'jaeger';

/** A text that may be longer than the screen. */
export interface Page {
  readonly title: string;
  readonly render: (layout: Layout) => readonly string[];
}

/** The state of the screen. */
export interface Shown {
  /** The key of the selected edge; null where none is selected yet. */
  readonly selected: string | null;
  /** The page that covers the edges; null where the edges are shown. */
  readonly page: Page | null;
  /** The first visible line of the page. */
  readonly scroll: number;
  /** The message after a key; empty where there is none. */
  readonly message: string;
}

export const shownAtFirst: Shown = { selected: null, page: null, scroll: 0, message: '' };

/** What a key asks to open. */
export type Wish = 'trace' | 'finding' | 'jaeger';

/** @returns The state after a key, and what to open. */
export function press(
  shown: Shown,
  key: Key,
  edges: readonly WatchedEdge[],
  screen: Screen,
): { readonly shown: Shown; readonly wish?: Wish } {
  const quiet = { ...shown, message: '' };
  if (key === 'jaeger') return { shown: quiet, wish: 'jaeger' };
  if (key === 'finding') return { shown: quiet, wish: 'finding' };
  if (key === 'escape') return { shown: { ...quiet, page: null, scroll: 0 } };
  if (shown.page !== null) {
    if (key === 'enter') return { shown: { ...quiet, page: null, scroll: 0 } };
    const lines = layLines(shown.page.render(screen), screen).length;
    const room = roomOf(screen);
    return { shown: { ...quiet, scroll: move(shown.scroll, key, room, Math.max(1, lines - room + 1)) } };
  }
  if (key === 'enter') return { shown: quiet, wish: 'trace' };
  const at = Math.max(
    0,
    edges.findIndex((edge) => keyOf(edge) === shown.selected),
  );
  const edge = edges[move(at, key, roomOf(screen), edges.length)];
  return { shown: { ...quiet, selected: edge === undefined ? null : keyOf(edge) } };
}

function move(at: number, key: Key, page: number, count: number): number {
  const steps: Partial<Record<Key, number>> = {
    ...{ up: -1, down: 1, pageup: -page, pagedown: page },
    ...{ home: -count, end: count },
  };
  return Math.min(Math.max(0, at + (steps[key] ?? 0)), Math.max(0, count - 1));
}

/** The lines of the title and the line below it. */
const pageHead = 2;

/** The lines of a page that fit above the line of keys. */
function roomOf({ height }: Screen): number {
  return Math.max(1, height - pageHead - 1);
}

const keys = 'up/down select  enter trace  f finding  j Jaeger  q quit';
const pageKeys = 'up/down scroll  esc back  f finding  j Jaeger  q quit';

/** Renders exactly as many lines as the screen has. */
export function renderScreen(state: WatchState, shown: Shown, screen: Screen): readonly string[] {
  const { page, scroll, message } = shown;
  const hint = [page === null ? keys : pageKeys];
  const foot =
    message === '' ? hint : cutLines(message, screen.width).slice(0, Math.max(1, screen.height - 1));
  const height = screen.height - foot.length;
  const rest = { ...screen, height };
  const body = page === null ? renderEdges(state, shown, rest) : renderPage(page, scroll, rest);
  const filled = [...body, ...Array.from({ length: Math.max(0, height - body.length) }, () => '')];
  const lines = [...filled.slice(0, height), ...foot.map((line) => paint(screen, 'dim', line))];
  return lines.map((line) => cutLine(line, screen.width));
}

/** Cuts a line to the width. A line that is cut loses its colours. */
function cutLine(line: string, width: number): string {
  return stringWidth(line) <= width ? line : clip(stripVTControlCharacters(line), width);
}

/** Breaks a link into several lines, so that no character is lost. */
function cutLines(text: string, width: number): readonly string[] {
  return text.match(new RegExp(`.{1,${Math.max(1, width)}}`, 'gu')) ?? [''];
}

function renderEdges(state: WatchState, { selected }: Shown, screen: Screen): readonly string[] {
  const [first] = state.edges;
  const chosen = state.edges.some((edge) => keyOf(edge) === selected);
  const key = chosen ? selected : first === undefined ? null : keyOf(first);
  return renderEdgesView(state, key, screen);
}

function renderPage({ title, render }: Page, scroll: number, screen: Screen): readonly string[] {
  const lines = layLines(render(screen), screen);
  const shown = lines.slice(scroll, scroll + Math.max(1, screen.height - pageHead));
  return [paint(screen, 'bold', clip(title, screen.width)), '', ...shown];
}

/** Wraps lines that are too wide, such as commands. */
function layLines(lines: readonly string[], { width }: Screen): readonly string[] {
  return lines.flatMap((line) =>
    stringWidth(line) <= width ? [line] : cutLines(stripVTControlCharacters(line), width),
  );
}
