import { isatty } from 'node:tty';
import { describeStore } from '../../collect/describe-store.ts';
import { describeUndecided, explainNothingToJudge } from '../../collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../../collect/hint-at-expectations.ts';
import { judge } from '../../collect/judge.ts';
import { pauseFor } from '../../collect/pause-for.ts';
import type { Expectation } from '../../expect/expectation.ts';
import { prepareCalls } from '../../report/call-picture.ts';
import { drawTrace } from '../../report/draw-trace.ts';
import { escapeText } from '../../report/escape-text.ts';
import type { Layout } from '../../report/layout.ts';
import { widestText } from '../../report/terminal.ts';
import { nameEdge } from '../../report/terminal-edges.ts';
import { toAscii } from '../../report/to-ascii.ts';
import { renderFinding } from '../../report/tree.ts';
import { SourceError } from '../../source/source.ts';
import { listServiceNames, type SpanStore } from '../../span/span-store.ts';
import { countOf } from '../../util/count-of.ts';
import { mapBy } from '../../util/group-by.ts';
import { messageOf } from '../../util/message-of.ts';
import type { Result } from '../../verdict/result.ts';
import { type ReadInputs, readAnew, readCheckInputs } from '../check-inputs.ts';
import { readPage } from '../explain-finding.ts';
import { Interruption } from '../interruption.ts';
import { layMarkdown } from '../lay-markdown.ts';
import { isWatched } from '../print-report.ts';
import { refuseOtherThanOne } from '../refuse-other-than-one.ts';
import type { Session } from '../session.ts';
import { CallTracker, keyOf, type WatchedEdge } from './call-tracker.ts';
import { createChangeDescriber } from './describe-changes.ts';
import { PartlyReadError } from './follow-files.ts';
import { isInForeground, openTerminal } from './open-terminal.ts';
import { openView, type View, type ViewOptions } from './open-view.ts';
import { type Away, renderEdgesOnce, type WatchState } from './render-edges.ts';
import { type Key, type Page, press, renderScreen, type Shown, shownAtFirst } from './watch-screen.ts';

export interface WatchArguments extends ViewOptions {
  readonly once?: boolean;
  readonly jaegerUi?: URL;
}

/** The pause between two looks at a source that does not report arrivals, and the longest pause between two frames. */
const pauseMs = 1_000;
/** The pause between two looks while spans keep arriving. */
const shortestPauseMs = 200;
/** The pause as a multiple of the time that a look took: the watch uses at most a third of a processor. */
const restShare = 2;
/** The longest pause between two tries while the source is away. The pause doubles with each try. */
const longestRetryMs = 10_000;

/** Watches until the user ends it, or looks once. Sets the exit code. */
export async function runWatch(
  paths: readonly string[],
  args: WatchArguments,
  session: Session,
): Promise<void> {
  refuseOtherThanOne('watch', paths, args.source);
  const inputs = await readCheckInputs(args, paths);
  const view = await openView(paths, args, session);
  const watch = new Watch(view, args.settle, inputs);
  const isLive = args.once !== true && (await isWatched(session.output)) && canDraw() && isInForeground();
  // The user needs the address of a receiver to configure services.
  if (!isLive && (args.once !== true || isReceiver(args)))
    session.writeError(`propagation-check: watching ${escapeText(view.name)}\n`);
  try {
    if (args.once === true) await lookOnce(watch, args, session);
    else if (isLive) await showLive(watch, args, session);
    else await printChanges(watch, session);
  } finally {
    await view.close();
  }
}

/** Whether keys can be read and lines drawn again. A terminal of unknown size reports 0 columns. */
function canDraw(): boolean {
  return isatty(0) && process.stdout.columns > 0 && process.env.TERM !== 'dumb';
}

function isReceiver({ source }: WatchArguments): boolean {
  return source !== undefined && /^otlp(?:=|$)/.test(source);
}

/** Looks at a source, judges the traces, and keeps the state of the view. */
class Watch {
  readonly #view: View;
  readonly #inputs: ReadInputs;
  readonly #tracker: CallTracker;
  readonly #startedAt = Date.now();
  #judged: { readonly result: Result; readonly store: SpanStore; readonly expectation: Expectation } | null =
    null;
  #away: Away | null = null;
  #wasThere = false;
  #tries = 0;

  constructor(view: View, settleMs: number, inputs: ReadInputs) {
    this.#view = view;
    this.#inputs = inputs;
    this.#tracker = new CallTracker({ settleMs });
  }

  /** Looks once. @throws {SourceError} where the source, or a part of it, cannot be read; the rest is judged before. */
  async look(signal: AbortSignal): Promise<void> {
    const looked = await this.#view.look(Date.now(), signal).catch(allowPartly);
    const spans = looked instanceof PartlyReadError ? looked.spans : looked;
    const { expectation, wire } = await readAnew(this.#inputs);
    const now = Date.now();
    this.#tracker.add(spans, now);
    const check = (store: SpanStore) => {
      const { result } = judge(store, { expectation, wire, mostEvidence: Number.POSITIVE_INFINITY });
      this.#judged = { result, store, expectation };
      return result;
    };
    this.#view.forget(this.#tracker.judge(now, check));
    if (looked instanceof PartlyReadError) throw looked;
  }

  /** Looks until `signal` aborts, and calls `onLook` after each look. @throws the signal's reason. */
  async follow(signal: AbortSignal, onLook: () => Promise<void> | void): Promise<never> {
    for (;;) {
      const lookedAt = performance.now();
      try {
        await this.look(signal);
        this.#wasThere = true;
        this.#away = null;
        this.#tries = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SourceError)) throw error;
        const { since = Date.now(), wasThere = this.#wasThere } = this.#away ?? {};
        this.#away = { since, wasThere, why: error.message };
        this.#tries = error instanceof PartlyReadError ? 1 : this.#tries + 1;
      }
      await onLook();
      const tookMs = performance.now() - lookedAt;
      if (this.#away !== null) {
        await pauseFor(Math.min(pauseMs * 2 ** (this.#tries - 1), longestRetryMs), signal);
        continue;
      }
      await pauseFor(Math.max(shortestPauseMs, tookMs * restShare), signal);
      await this.#view.waitForMore(Math.min(this.#tracker.nextDue(Date.now()) ?? pauseMs, pauseMs), signal);
    }
  }

  /** Milliseconds until the next trace can be judged; null where none waits. */
  nextDue(): number | null {
    return this.#tracker.nextDue(Date.now());
  }

  waitForMore(atMostMs: number, signal: AbortSignal): Promise<void> {
    return this.#view.waitForMore(atMostMs, signal);
  }

  state(): WatchState {
    const now = Date.now();
    const { name, note, complaints } = this.#view;
    return {
      ...{ name, startedAt: this.#startedAt, now, away: this.#away },
      edges: this.#tracker.edges(now),
      counts: this.#tracker.counts(),
      notes: [
        ...(note === null ? [] : [note]),
        ...complaints,
        ...this.#tracker.undecided().map((one) => `not judged: ${describeUndecided(one)}`),
      ],
    };
  }

  /** Notes on the traces that were judged last, as for a check of them. */
  async notes(): Promise<readonly string[]> {
    if (this.#judged === null) return [];
    const { result, store, expectation } = this.#judged;
    return [
      ...describeStore(store),
      ...(await this.#inputs.wireFiles.describeGaps(store)),
      ...hintAtExpectations(result, listServiceNames(store), expectation),
    ];
  }

  /** Why there is no verdict, and what to do. */
  explainUnknown(): string {
    const { open, traces } = this.#tracker.counts();
    if (traces === 0) return this.#view.explainEmpty();
    if (this.#judged === null)
      return `${countOf(open, 'trace')} not judged: their spans were still arriving; give them time with --wait, or shorten --settle`;
    const { result, store, expectation } = this.#judged;
    return explainNothingToJudge(result, listServiceNames(store), expectation);
  }

  /** 0 intact; 1 broken; 2 nothing was judged, most calls of an edge are open, or an expected edge is undecided. */
  exitCode(): number {
    return { intact: 0, broken: 1, unknown: 2 }[this.#tracker.verdict(Date.now())];
  }
}

function allowPartly(error: unknown): PartlyReadError {
  if (error instanceof PartlyReadError) return error;
  throw error;
}

/** Waits until all traces that arrived are quiet, and with a receiver until a trace arrives. */
async function lookOnce(watch: Watch, args: WatchArguments, session: Session): Promise<void> {
  const { output, signal, setExitCode, writeError } = session;
  const deadline = Date.now() + args.wait;
  for (;;) {
    await watch.look(signal);
    const dueMs = watch.nextDue();
    const isSilent = isReceiver(args) && watch.state().counts.traces === 0;
    const leftMs = deadline - Date.now();
    if ((dueMs === null && !isSilent) || leftMs <= 0) break;
    await watch.waitForMore(Math.max(shortestPauseMs, Math.min(dueMs ?? leftMs, leftMs)), signal);
  }
  const state = watch.state();
  const notes = [...new Set([...state.notes, ...(await watch.notes())])];
  await output.print(inLocale(`${renderEdgesOnce({ ...state, notes }, output).join('\n')}\n`, output));
  const exitCode = watch.exitCode();
  if (exitCode === 2) writeError(`propagation-check: cannot tell: ${escapeText(watch.explainUnknown())}\n`);
  setExitCode(exitCode);
}

async function printChanges(watch: Watch, { output, signal, setExitCode }: Session): Promise<void> {
  const describeChanges = createChangeDescriber();
  const ended = new AbortController();
  await watch
    .follow(AbortSignal.any([signal, ended.signal]), async () => {
      const lines = describeChanges(watch.state());
      if (lines.length > 0) await output.print(inLocale(`${lines.join('\n')}\n`, output));
      if (output.isGone?.() === true) ended.abort();
    })
    .catch((error: unknown) => {
      if (ended.signal.aborted) setExitCode(watch.exitCode());
      else endBySignal(error, setExitCode);
    });
}

function endBySignal(error: unknown, setExitCode: (code: number) => void): void {
  if (!(error instanceof Interruption)) throw error;
  setExitCode(error.exitCode);
}

function inLocale(text: string, { ascii = false }: Layout): string {
  return ascii ? toAscii(text) : text;
}

async function showLive(watch: Watch, args: WatchArguments, session: Session): Promise<void> {
  const { output, signal, setExitCode } = session;
  const ended = new AbortController();
  let shown: Shown = shownAtFirst;
  const screen = () => ({ ...output, width: terminal.width, height: terminal.height });
  const draw = () => {
    const lines = renderScreen(watch.state(), shown, screen());
    terminal.draw(lines.map((line) => inLocale(line, output)));
  };
  const say = (message: string) => {
    shown = { ...shown, message };
    draw();
  };
  const open = (page: Page) => {
    shown = { ...shown, page, scroll: 0 };
    draw();
  };
  const onKey = (key: Key) => {
    const { edges } = watch.state();
    const pressed = press(shown, key, edges, screen());
    shown = pressed.shown;
    draw();
    const edge = edges.find((each) => keyOf(each) === shown.selected) ?? edges[0];
    if (pressed.wish === undefined || edge === undefined) return;
    if (pressed.wish === 'trace') open(makeTracePage(edge));
    else if (pressed.wish === 'finding') void openFinding(edge, open, say);
    else void openJaeger(edge, args, say);
  };
  const terminal = openTerminal(process.stdin, process.stdout, {
    onKey,
    onResize: draw,
    onEnd: (name) => ended.abort(name === null ? null : new Interruption(name)),
  });
  try {
    draw();
    await watch.follow(AbortSignal.any([signal, ended.signal]), draw);
  } catch (error) {
    if (ended.signal.aborted && ended.signal.reason === null) setExitCode(watch.exitCode());
    else endBySignal(error, setExitCode);
  } finally {
    terminal.close();
  }
}

/** The page of an edge: its newest break with finding, picture and traces, or the newest trace of an intact edge. */
function makeTracePage({ newest, sample, ...edge }: WatchedEdge): Page {
  const spans = newest === null || newest.spans.length === 0 ? sample : newest.spans;
  return {
    title: nameEdge(edge, widestText),
    render: (layout) => {
      const text = { ...layout, width: Math.min(layout.width, widestText) };
      const findCall = prepareCalls(spans);
      const picture = newest?.evidence == null ? null : findCall(newest.finding.id, newest.evidence);
      const traces = [...mapBy(spans, (span) => span.traceId).values()].map((trace) =>
        drawTrace(trace, spans.length, picture?.sides ?? new Set(), layout),
      );
      const finding = newest === null ? [] : [[...renderFinding(newest.finding, findCall, layout, text)]];
      return [...finding, ...traces].flatMap((part) => [...part, '']);
    },
  };
}

async function openFinding(
  { newest }: WatchedEdge,
  open: (page: Page) => void,
  say: (message: string) => void,
): Promise<void> {
  if (newest === null) return say('this edge has no finding');
  const { id } = newest.finding;
  try {
    const page = await readPage(id);
    open({ title: `explain ${id}`, render: ({ width }) => layMarkdown(page, Math.min(width, widestText)) });
  } catch (error) {
    say(messageOf(error));
  }
}

/** Opens a browser where there is a desktop, and shows the link in any case. */
async function openJaeger(
  { newest, sample }: WatchedEdge,
  { source, jaegerUi }: WatchArguments,
  say: (message: string) => void,
): Promise<void> {
  const base = jaegerUi?.href ?? (source?.startsWith('jaeger=') ? source.slice('jaeger='.length) : null);
  const traceId = newest?.evidence?.traceId ?? sample[0]?.traceId;
  if (base === null) return say('no Jaeger is known: --jaeger-ui URL names it');
  if (traceId === undefined) return say('no trace of this edge is known');
  const link = new URL(`trace/${traceId}`, base.endsWith('/') ? base : `${base}/`).href;
  say(escapeText(link));
  if (!hasDesktop()) return;
  const { default: openBrowser } = await import('open');
  const browser = await openBrowser(link);
  browser.on('error', (error) => say(`${escapeText(link)} cannot be opened: ${escapeText(error.message)}`));
}

/** Other systems than Linux always have a desktop. */
function hasDesktop(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform !== 'linux' || (DISPLAY ?? WAYLAND_DISPLAY) !== undefined;
}
