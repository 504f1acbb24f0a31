import type { AuditSource, TimeWindow, WindowReading } from './audit-source.ts';

export interface WindowOptions {
  /** The length of the window in milliseconds; undefined for the default. */
  readonly since?: number;
  /** The end of the window, in milliseconds since the epoch; undefined for the latest possible. */
  readonly until?: number;
  /** The latest end for a source that grows with time. Milliseconds since the epoch. */
  readonly latest: number;
}

export interface ReadWindow extends WindowReading {
  readonly window: TimeWindow;
}

const usualSinceMs = 3_600_000;

/** Reads the window, and the preceding one of the same length where there is one. */
export async function readWindows(
  source: AuditSource,
  options: WindowOptions,
  signal: AbortSignal,
): Promise<{ readonly now: ReadWindow; readonly before: ReadWindow | null }> {
  const window = await chooseWindow(source, options, signal);
  const now = { window, ...(await source.readWindow(window, signal)) };
  const length = window.to - window.from;
  if (!Number.isFinite(length)) return { now, before: null };
  const earlier = { from: window.from - length, to: window.from };
  return { now, before: { window: earlier, ...(await source.readWindow(earlier, signal)) } };
}

/** A source that does not grow is read whole, unless a length is given. */
async function chooseWindow(
  source: AuditSource,
  { since, until, latest }: WindowOptions,
  signal: AbortSignal,
): Promise<TimeWindow> {
  if (since === undefined && source.findEnd !== undefined)
    return { from: Number.NEGATIVE_INFINITY, to: until ?? Number.POSITIVE_INFINITY };
  const to = Math.trunc(until ?? (await source.findEnd?.(signal)) ?? latest);
  return { from: Math.trunc(to - (since ?? usualSinceMs)), to };
}
