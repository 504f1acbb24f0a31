import { escapeText } from '../report/escape-text.ts';
import { columnsOf } from '../report/fit-text.ts';
import { truncate } from '../report/layout.ts';

/** The progress of long work. */
export interface Done {
  /** The name for people: a file, or the kind of work. */
  readonly what: string;
  readonly unit: 'bytes' | 'requests';
  readonly done: number;
  /** The whole amount; null where it is not known. */
  readonly all: number | null;
  readonly elapsedMs: number;
}

const longestBar = 30;
/** A shorter bar shows nothing. */
const shortestBar = 8;
const shortestName = 12;

/** `spans.jsonl  [=====>      ]  43 %  85 MB/s  19 s left`, no longer than the width. */
export function renderProgress({ what, unit, done, all, elapsedMs }: Done, width: number): string {
  const perSecond = (done / Math.max(elapsedMs, 1)) * 1_000;
  const rate = `${formatAmount(perSecond, unit)}/s`;
  if (all === null) return joinParts([escapeText(what), formatAmount(done, unit), rate], width);
  const share = all === 0 ? 1 : Math.min(done / all, 1);
  const left = perSecond === 0 ? '' : `${formatSeconds((all - done) / perSecond)} left`;
  const numbers = [`${Math.floor(share * 100)} %`.padStart(5), rate, left].filter((part) => part !== '');
  const room = width - joinParts(numbers, width).length - 2 * gap.length;
  const name = truncate(escapeText(what), Math.max(shortestName, room - shortestBar - 2));
  const barWidth = Math.min(longestBar, room - columnsOf(name) - 2);
  const parts = barWidth < shortestBar ? [name, ...numbers] : [name, renderBar(share, barWidth), ...numbers];
  return joinParts(parts, width);
}

const gap = '  ';

function joinParts(parts: readonly string[], width: number): string {
  return truncate(parts.join(gap), width);
}

function renderBar(share: number, width: number): string {
  const filled = Math.round(share * width);
  return `[${'='.repeat(filled)}${' '.repeat(width - filled)}]`;
}

/** Below this rate whole numbers are too coarse. */
const fewRequests = 10;

function formatAmount(amount: number, unit: Done['unit']): string {
  if (unit === 'requests') return `${amount < fewRequests ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
  return amount < 1e9
    ? `${(amount / 1e6).toFixed(amount < 1e7 ? 1 : 0)} MB`
    : `${(amount / 1e9).toFixed(2)} GB`;
}

/** In seconds. */
const minute = 60;

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < minute ? `${whole} s` : `${Math.floor(whole / minute)} min ${whole % minute} s`;
}
