import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { mapBy } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { escapeText } from './escape-text.ts';
import { columnsOf, fitText } from './fit-text.ts';
import { type Layout, paint, truncate } from './layout.ts';
import { orderTrace } from './order-trace.ts';

/** A longer trace is cut: nobody reads it, and the counts are elsewhere. */
const mostSpans = 200;

export interface TreeLine {
  /** The lines that connect the span with its parent: `└─ `. */
  readonly prefix: string;
  readonly span: Span;
  readonly note: string;
}

interface Column {
  readonly spanId: string;
  readonly offset: string;
  readonly duration: string;
}

/**
 * Draws each trace as a tree with ids, start offsets from the earliest span of all traces, and durations. Terminates for cycles, repeated ids
 * and traces of any depth. Ends without a line feed.
 */
export function renderTraceTrees(spans: readonly Span[], layout: Layout): string {
  const origin = spans.reduce<bigint | null>(
    (least, { startTimeUnixNano: start }) => (least === null || start < least ? start : least),
    null,
  );
  const traces = mapBy(spans, (span) => span.traceId);
  return [...traces].map(([traceId, trace]) => renderTree(traceId, trace, origin ?? 0n, layout)).join('\n\n');
}

/** Columns for prefix, service and name. With less room the times go to a line of their own. */
const leastRoom = 40;

function renderTree(traceId: string, spans: readonly Span[], origin: bigint, layout: Layout): string {
  const shown = toTreeLines(spans, Math.floor(layout.width / 4));
  const columns = shown.map(({ span }) => toColumn(span, origin));
  const offsetWidth = Math.max(...columns.map(({ offset }) => offset.length));
  const durationWidth = Math.max(...columns.map(({ duration }) => duration.length));
  const rightWidth = 16 + 2 + offsetWidth + 2 + durationWidth;
  const labels = shown.map(({ prefix, span }) => `${prefix}${label(span)}`);
  const room = layout.width - rightWidth - 2;
  const leftWidth = Math.min(room, Math.max(...labels.map(columnsOf)));
  const isNarrow = room < leastRoom;

  const rows = shown.flatMap((line, index) => {
    const { spanId, offset, duration } = columns[index] ?? { spanId: '', offset: '', duration: '' };
    const left = labels[index] ?? '';
    const right = `${paint(layout, 'cyan', spanId)}  ${offset.padStart(offsetWidth)}  ${duration.padStart(durationWidth)}`;
    const indent = ' '.repeat(line.prefix.length);
    const row = isNarrow
      ? [truncate(left, layout.width), `${indent}${paint(layout, 'cyan', spanId)}  ${offset}  ${duration}`]
      : [`${fitText(left, leftWidth)}  ${right}`];
    return line.note === '' ? row : [...row, `${indent}${paint(layout, 'yellow', line.note)}`];
  });
  const more = spans.length - shown.length;
  const title = `${paint(layout, 'bold', 'trace')} ${traceId}`;
  return [title, ...rows, ...(more > 0 ? [`… and ${countOf(more, 'more span')}`] : [])].join('\n');
}

function label(span: Span): string {
  const service = span.serviceName === null ? '(no service.name)' : escapeText(span.serviceName);
  return `${span.kind} ${service} ${escapeText(hideSecrets(span.name))}`;
}

function toColumn(span: Span, origin: bigint): Column {
  return {
    spanId: span.spanId,
    offset: `+${toMs(span.startTimeUnixNano - origin)}`,
    duration: toMs(span.endTimeUnixNano - span.startTimeUnixNano),
  };
}

function toMs(nanoseconds: bigint): string {
  return `${(Number(nanoseconds) / 1e6).toFixed(1)} ms`;
}

/** The first `mostSpans` spans, depth first. */
export function toTreeLines(spans: readonly Span[], widestPrefix: number): readonly TreeLine[] {
  /** Whether a line continues below each ancestor, by depth. */
  const below: string[] = [''];
  const lines: TreeLine[] = [];
  for (const { span, depth, isLast, note } of orderTrace(spans)) {
    if (lines.length === mostSpans) break;
    const before = below[depth] ?? '';
    const isTooDeep = before.length >= widestPrefix;
    below[depth + 1] = depth === 0 || isTooDeep ? before : `${before}${isLast ? '   ' : '│  '}`;
    lines.push({ prefix: depth === 0 ? '' : `${below[depth] ?? ''}${isLast ? '└─ ' : '├─ '}`, span, note });
  }
  return lines;
}
