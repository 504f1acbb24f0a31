import { nameCounted } from '../../report/describe-count.ts';
import { escapeText } from '../../report/escape-text.ts';
import { clip, columnsOf, fitText } from '../../report/fit-text.ts';
import { formatTime } from '../../report/format-time.ts';
import { hang, type Layout, paint, wrap } from '../../report/layout.ts';
import {
  describeCallsJudged,
  describePast,
  type Mark,
  nameEdge,
  paintMark,
} from '../../report/terminal-edges.ts';
import { proseOf } from '../../rules/findings.ts';
import { countOf } from '../../util/count-of.ts';
import { type Break, keyOf, type Slice, sliceMs, type WatchedEdge } from './call-tracker.ts';
import { type Counts, oldMs } from './watched-traces.ts';

/** The input of the view of all edges. */
export interface WatchState {
  /** The name of the source. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now: number;
  readonly edges: readonly WatchedEdge[];
  readonly counts: Counts;
  /** Why and since when the source does not answer; null while it answers. */
  readonly away: Away | null;
  /** Notes for people, not escaped. */
  readonly notes: readonly string[];
}

export interface Away {
  /** False for a source that has never answered, such as a file that is not written yet. */
  readonly wasThere: boolean;
  readonly since: number;
  readonly why: string;
}

export interface Screen extends Layout {
  readonly height: number;
}

const minuteMs = 60_000;
const sparks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** The columns behind the name, the most important first. Columns that do not fit are left out. */
const columnsOfWatch: readonly Column[] = [
  { title: 'intact', width: 8, isRight: true, write: (edge) => rateOf(edge) },
  {
    ...{ title: 'not judged', width: 10, isRight: true, write: (edge) => countOpen(edge) },
    isNeeded: (edges) => edges.some(({ unjudged = 0 }) => unjudged > 0),
  },
  { title: 'calls', width: 7, isRight: true, write: ({ calls }) => String(calls) },
  {
    ...{ title: 'per min', width: 8, isRight: true, isRate: true },
    write: ({ slices }) => String(countLastMinute(slices)),
  },
  {
    ...{ title: 'last 2 min', width: 12, isRight: false, isRate: true },
    write: ({ slices }) => drawTrend(slices),
  },
  {
    ...{ title: 'newest', width: 34, isRight: false, isRate: true },
    write: (edge, now) => describeNewest(edge, now),
  },
];

/** The time of a single look says nothing of the rate at which calls were made. */
const columnsOnce: readonly Column[] = [
  ...columnsOfWatch.filter(({ isRate }) => isRate !== true),
  {
    ...{ title: 'newest', width: 34, isRight: false, write: nameNewest },
    isNeeded: (edges) => edges.some((edge) => nameNewest(edge) !== ''),
  },
];

interface Column {
  readonly title: string;
  readonly width: number;
  readonly isRight: boolean;
  /** The column relates calls to the time of the watch. */
  readonly isRate?: boolean;
  readonly write: (edge: WatchedEdge, now: number) => string;
  /** Whether the column is shown for these edges. A column without this function is always shown. */
  readonly isNeeded?: (edges: readonly WatchedEdge[]) => boolean;
}

const gap = '  ';
/** The shortest name of an edge that is still recognisable. */
const shortestName = 24;
const longestName = 60;
const longestText = 300;

/** Renders a headline, the edges around the selected one, and details of the selected one. */
export function renderEdgesView(
  state: WatchState,
  selected: string | null,
  screen: Screen,
): readonly string[] {
  const { edges, now } = state;
  const head = renderHead(state, screen);
  const chosen = edges.find((edge) => keyOf(edge) === selected);
  const foot = chosen === undefined ? [] : renderChosen(chosen, now, screen);
  const room = Math.max(1, screen.height - head.length - foot.length - 1);
  const at = Math.max(
    0,
    edges.findIndex((edge) => keyOf(edge) === selected),
  );
  // The selected edge stays visible.
  const first = Math.min(Math.max(0, at - room + 2), Math.max(0, edges.length - room));
  const shown = edges.slice(first, first + room);
  return [...head, ...renderTable(shown, selected, now, screen), ...foot];
}

/** Renders all edges, without a selection, and whole notes. A single look has no rates. */
export function renderEdgesOnce(state: WatchState, layout: Layout): readonly string[] {
  const open = state.edges.flatMap(({ client, server, open }) =>
    open === undefined ? [] : `not judged: ${client} -> ${server}: ${open}`,
  );
  const notes = [...state.notes, ...open].flatMap((note) => hang('note  ', escapeText(note), layout));
  const { name, counts } = state;
  const head = [[escapeText(name), ...describeCounts(counts)].join('; '), ...describePeriod(counts)];
  return [
    ...head.flatMap((text) => hang('', text, layout)).map((line) => paint(layout, 'bold', line)),
    ...notes.map((line) => paint(layout, 'yellow', line)),
    ...renderTable(state.edges, null, state.now, layout, columnsOnce),
    ...state.edges.flatMap((edge) => renderNewest(edge, layout)),
  ];
}

/** The newest break of an edge: its whole finding and trace. */
function renderNewest(edge: WatchedEdge, layout: Layout): readonly string[] {
  const { newest } = edge;
  if (newest === null) return [];
  const trace = newest.evidence === null ? '' : `; trace ${newest.evidence.traceId}`;
  const [first = '', ...more] = hang(
    '  ',
    `${nameEdge(edge, longestName)}: ${describeBreak(newest, edge)}${trace}`,
    layout,
  );
  return ['', `${paintMark(layout, markOf(edge))} ${first.trimStart()}`, ...more];
}

function renderHead(
  { name, startedAt, now, counts, away, notes }: WatchState,
  layout: Layout,
): readonly string[] {
  const isOld = counts.period !== null && counts.period.to < startedAt - oldMs;
  const facts = [
    `watching ${escapeText(name)}`,
    formatDuration(now - startedAt),
    ...describeCounts(counts),
    ...(isOld ? describePeriod(counts) : []),
  ];
  const trouble =
    away === null
      ? []
      : [
          paint(
            layout,
            'red',
            clip(
              `${away.wasThere ? 'away' : 'not there'} for ${formatDuration(now - away.since)}, tried again: ${escapeText(away.why)}`,
              layout.width,
            ),
          ),
        ];
  return [
    paint(layout, 'bold', clip(facts.join('; '), layout.width)),
    ...trouble,
    ...notes.map((note) => paint(layout, 'yellow', clip(`note  ${escapeText(note)}`, layout.width))),
  ];
}

function describeCounts({ traces, open, leftOut }: Counts): readonly string[] {
  return [
    `${countOf(traces, 'trace')}, ${open} not judged yet`,
    ...(leftOut > 0 ? [`${countOf(leftOut, 'span')} left out: too many at a time`] : []),
  ];
}

function describePeriod({ period }: Counts): readonly string[] {
  if (period === null) return [];
  const [from, to] = [period.from, period.to].map((time) =>
    formatTime(new Date(Math.min(time, latestTime)).toISOString()),
  );
  return [`spans from ${from} to ${to} UTC`];
}

/** The latest time of a `Date`, in milliseconds since the epoch. Spans may have later ones. Source: ECMAScript, "Time Values". */
const latestTime = 8.64e15;

function renderTable(
  edges: readonly WatchedEdge[],
  selected: string | null,
  now: number,
  layout: Layout,
  columns = columnsOfWatch,
): readonly string[] {
  if (edges.length === 0) return ['no call between two services was judged yet'];
  const names = edges.map((edge) => nameEdge(edge, longestName));
  const longest = Math.max(...names.map(columnsOf));
  const [wanted, least] = [Math.max(shortestName, longest), Math.min(shortestName, longest)];
  const shown: Column[] = [];
  let room = layout.width - 4;
  for (const column of columns) {
    if (column.isNeeded?.(edges) === false) continue;
    const cells = column.isRight ? edges.map((edge) => column.write(edge, now).length) : [];
    const width = Math.max(column.width, ...cells);
    if (room - width - gap.length < least) break;
    room -= width + gap.length;
    shown.push({ ...column, width });
  }
  const nameWidth = Math.min(wanted, room);
  const titles = shown.map(({ title, width, isRight }) =>
    isRight ? title.padStart(width) : title.padEnd(width),
  );
  return [
    paint(layout, 'dim', ['    edge'.padEnd(nameWidth + 4), ...titles].join(gap).trimEnd()),
    ...edges.map((edge) => {
      const isSelected = keyOf(edge) === selected;
      const cells = shown.map(({ write, width, isRight }) => {
        const text = write(edge, now);
        return isRight ? text.padStart(width) : fitText(text, width);
      });
      const name = fitText(nameEdge(edge, nameWidth), nameWidth);
      const line = [isSelected ? paint(layout, 'bold', name) : name, ...cells].join(gap).trimEnd();
      return `${isSelected ? '>' : ' '} ${paintMark(layout, markOf(edge))} ${line}`;
    }),
  ];
}

function describeBreak({ finding, count }: Break, { broken, calls, unjudged = 0 }: WatchedEdge): string {
  const { id, protocol } = finding;
  const counted =
    count === 0
      ? 'never seen'
      : `${countOf(count, nameCounted(finding))} with it, ${calls === 0 ? describeCallsJudged({ calls, unjudged }) : `${broken} of ${calls} broken`}`;
  return `${proseOf(id, protocol).title} (${id}): ${counted}`;
}

function renderChosen(edge: WatchedEdge, now: number, layout: Layout): readonly string[] {
  const { newest, open } = edge;
  if (newest === null)
    return ['', ...(open === undefined ? [] : wrap(`not judged: ${escapeText(open)}`, layout.width))];
  const { finding, at } = newest;
  const title = `${describeBreak(newest, edge)}, ${formatDuration(now - at)} ago`;
  return [
    '',
    paint(layout, finding.severity === 'error' ? 'red' : 'yellow', clip(title, layout.width)),
    clip(`fix: ${escapeText(finding.fix).slice(0, longestText)}`, layout.width),
  ];
}

function markOf(edge: WatchedEdge): Mark {
  const { broken, newest, past, openOnBothSides = false } = edge;
  if (broken > 0 || newest?.finding.severity === 'error') return 'error';
  if (newest !== null || openOnBothSides || rateOf(edge) === unknownRate) return 'warning';
  return past === undefined ? 'fine' : 'accepted';
}

const unknownRate = 'unknown';

/** Rounded down: 100 % means that no call is broken. `unknown` where the last look left most calls open and no call is broken. */
function rateOf({ calls, broken, unjudged = 0, doubtful = 0, open }: WatchedEdge): string {
  if (calls === 0 && unjudged === 0) return 'never';
  const sure = calls - doubtful;
  if (sure === 0 || (open !== undefined && broken === 0)) return unknownRate;
  return `${Math.floor(((sure - broken) / sure) * 100)} %`;
}

/** How many calls of the last look are open: `10 of 20`. */
function countOpen({ looked = 0, unjudged = 0 }: WatchedEdge): string {
  return unjudged === 0 ? '' : `${unjudged} of ${looked + unjudged}`;
}

function countLastMinute(slices: readonly Slice[]): number {
  return slices.slice(-minuteMs / sliceMs).reduce((sum, { calls }) => sum + calls, 0);
}

/** A bar for the calls of each time slice; a cross where a call is broken. */
function drawTrend(slices: readonly Slice[]): string {
  const most = Math.max(1, ...slices.map(({ calls }) => calls));
  return slices
    .map(({ calls, broken }) => {
      if (broken > 0) return '✗';
      return calls === 0 ? ' ' : (sparks[Math.ceil((calls / most) * sparks.length) - 1] ?? '');
    })
    .join('');
}

function describeNewest(edge: WatchedEdge, now: number): string {
  const { newest } = edge;
  return newest === null ? nameNewest(edge) : `${nameNewest(edge)}, ${formatDuration(now - newest.at)} ago`;
}

function nameNewest({ newest, past }: WatchedEdge): string {
  if (newest !== null) return newest.finding.id;
  return past === undefined ? '' : describePast(past);
}

const hourMs = 60 * minuteMs;

export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  if (milliseconds < minuteMs) return `${seconds} s`;
  if (milliseconds < hourMs) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
