import type { Span } from '../span/span.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { escapeText } from './escape-text.ts';
import { columnsOf, fitText } from './fit-text.ts';
import { type Layout, paint, type Style } from './layout.ts';
import { findEnd, findStart, toMs } from './span-times.ts';
import { labelService } from './terminal-edges.ts';

/** A span in a drawing. */
export interface BarRow {
  readonly span: Span;
  /** The lines that connect it with its parent: `└─ `. */
  readonly prefix: string;
  /** The row is highlighted: its span is a side of the broken call. */
  readonly isSide: boolean;
}

/** Draws spans and titles of traces on one time axis. */
export interface Bars {
  /** @param hasAxis Also draws the ends of the time axis, where there is room. */
  readonly drawTitle: (traceId: string, hasAxis: boolean) => string;
  readonly drawRow: (row: BarRow) => string;
}

const margin = '  ';
const gap = 2;
const idWidth = 16;
/** Widths below which span ids, or bars, are left out: they would leave too little room for names. The trace id is always drawn. */
const narrowest = { withIds: 76, withBars: 40 } as const;
const longest = { label: 70, bar: 100 } as const;
/** The most of the room for names and bars that names take. */
const labelShare = 0.6;

/** Fits names, ids, bars and durations of all rows to the width. */
export function prepareBars(rows: readonly BarRow[], layout: Layout): Bars {
  const { width } = layout;
  const spans = rows.map(({ span }) => span);
  const origin = findStart(spans);
  const whole = Math.max(toMs(findEnd(spans) - origin), shortest);
  const durationWidth = Math.max(0, ...spans.map((span) => writeDuration(span).length));
  const hasIds = width >= narrowest.withIds;
  const room = width - margin.length - (hasIds ? idWidth + gap : 0) - durationWidth - 2 * gap;
  const labels = Math.max(0, ...rows.map((row) => columnsOf(labelOf(row))));
  const hasBars = width >= narrowest.withBars;
  const labelRoom = hasBars ? Math.floor(room * labelShare) : room + gap;
  const labelWidth = Math.min(labels, labelRoom, longest.label);
  const barWidth = hasBars ? Math.min(room - labelWidth, longest.bar) : 0;
  const barStart = margin.length + labelWidth + gap + (hasIds ? idWidth + gap : 0);

  const drawBar = ({ span, isSide }: BarRow): string => {
    const at = (time: bigint): number => Math.min(Math.max(toMs(time - origin) / whole, 0), 1) * barWidth;
    const from = Math.min(Math.floor(at(span.startTimeUnixNano)), barWidth - 1);
    const length = Math.max(1, Math.min(Math.round(at(span.endTimeUnixNano)), barWidth) - from);
    const bar = paint(layout, isSide ? 'red' : 'cyan', (isSide ? '█' : '━').repeat(length));
    return `${' '.repeat(from)}${bar}${' '.repeat(Math.max(0, barWidth - from - length))}`;
  };
  return {
    drawTitle: (traceId, hasAxis) => {
      const title = `${margin}trace ${escapeText(traceId)}`;
      const end = writeMs(whole);
      const space = barWidth - end.length - 1;
      const fits = title.length + gap <= barStart && space > 0;
      const axis =
        hasAxis && fits ? `${' '.repeat(barStart - title.length)}${'0'.padEnd(space + 1)}${end}` : '';
      return paint(layout, 'dim', `${title}${axis}`);
    },
    drawRow: (row) => {
      const style: Style | null = row.isSide ? 'red' : null;
      const label = fitText(labelOf(row), labelWidth);
      const id = hasIds ? [paint(layout, 'dim', row.span.spanId)] : [];
      const bar = hasBars ? [drawBar(row)] : [];
      const parts = [style === null ? label : paint(layout, style, label), ...id, ...bar];
      return `${margin}${parts.join(' '.repeat(gap))}${' '.repeat(gap)}${writeDuration(row.span).padStart(durationWidth)}`;
    },
  };
}

/** The shortest time axis, in milliseconds: a trace may have no duration. */
const shortest = 0.001;

function labelOf({ span, prefix }: BarRow): string {
  const name = escapeText(hideSecrets(span.name));
  return `${prefix}${labelService(span.serviceName)} ${span.kind} ${name}`;
}

function writeDuration({ startTimeUnixNano, endTimeUnixNano }: Span): string {
  return writeMs(toMs(endTimeUnixNano - startTimeUnixNano));
}

function writeMs(ms: number): string {
  if (Math.abs(ms) >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms.toFixed(Math.abs(ms) < 10 ? 2 : 1)} ms`;
}
