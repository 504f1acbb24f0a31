import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import type { CallPicture } from './call-picture.ts';
import { type BarRow, prepareBars } from './draw-bars.ts';
import { hang, type Layout, paint, truncate } from './layout.ts';
import { listHeaders } from './list-headers.ts';
import { toTreeLines } from './trace-tree.ts';

/** The share of the width for the lines that connect the spans of a deep trace. */
const prefixShare = 0.25;
const mostHeaders = 2;
/** As wide as prose. */
const widestCut = 110;
const indent = '  ';

/** Draws both sides of a call as trees on one time axis, with the cut between them and the propagation headers that their spans recorded. */
export function drawCall({ above, below, sides, cut }: CallPicture, layout: Layout): readonly string[] {
  const rows = [above, below].map((spans) => listRows(spans, sides, layout));
  const bars = prepareBars(rows.flat(), layout);
  const [upper = [], lower = []] = rows.map((ofTree) =>
    ofTree.flatMap((row) => [bars.drawRow(row), ...(row.isSide ? drawHeaders(row, layout) : [])]),
  );
  const [first, second] = [above[0] ?? below[0], below[0]];
  const isSame = first?.traceId === second?.traceId;
  return [
    ...(first === undefined ? [] : [bars.drawTitle(first.traceId, true)]),
    ...upper,
    ...(cut === null ? [] : drawCut(cut, layout)),
    ...(second === undefined || isSame ? [] : [bars.drawTitle(second.traceId, false)]),
    ...lower,
  ];
}

/** Draws the first `most` spans of a trace as a tree with bars. */
export function drawTrace(
  spans: readonly Span[],
  most: number,
  sides: ReadonlySet<Span>,
  layout: Layout,
): readonly string[] {
  const [first] = spans;
  if (first === undefined) return [];
  const rows = listRows(spans, sides, layout).slice(0, most);
  const bars = prepareBars(rows, layout);
  const left = spans.length - rows.length;
  return [
    bars.drawTitle(first.traceId, true),
    ...rows.flatMap((row) => [
      bars.drawRow(row),
      ...(row.note === ''
        ? []
        : hang(indentOf(row), row.note, layout).map((line) => paint(layout, 'yellow', line))),
    ]),
    ...(left > 0 ? [`${indent}… and ${countOf(left, 'more span')}`] : []),
  ];
}

interface Row extends BarRow {
  readonly note: string;
}

function listRows(spans: readonly Span[], sides: ReadonlySet<Span>, { width }: Layout): readonly Row[] {
  return toTreeLines(spans, Math.floor(width * prefixShare)).map((line) => ({
    ...line,
    isSide: sides.has(line.span),
  }));
}

/** The indent that aligns text with the name of the span. */
function indentOf({ prefix }: BarRow): string {
  return `${indent}${' '.repeat(prefix.length)}`;
}

function drawHeaders(row: BarRow, layout: Layout): readonly string[] {
  const headers = listHeaders(row.span);
  const start = `${indentOf(row)}  `;
  const left = headers.length - mostHeaders;
  return [
    ...headers.slice(0, mostHeaders),
    ...(left > 0 ? [`… and ${countOf(left, 'more header')}`] : []),
  ].map((header) => `${start}${paint(layout, 'dim', truncate(header, layout.width - start.length))}`);
}

function drawCut(cut: string, layout: Layout): readonly string[] {
  const [line = '', ...rest] = hang(`${indent}✂ `, cut, layout);
  const end = '╌'.repeat(Math.max(0, Math.min(layout.width, widestCut) - line.length - 1));
  const first = rest.length > 0 || end === '' ? line : `${line} ${end}`;
  return [first, ...rest].map((part) => paint(layout, 'red', part));
}
