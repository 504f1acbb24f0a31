import type { AuditSource, TimeWindow, WindowReading } from './audit-source.ts';

export interface WindowOptions {
  /** The length of the window, in milliseconds; undefined for the usual one. */
  readonly since?: number;
  /** Its end, in milliseconds since the epoch; undefined for the last that there can be. */
  readonly until?: number;
  /** Milliseconds since the epoch, for a source that grows with time. */
  readonly latest: number;
}

export interface ReadWindow extends WindowReading {
  readonly window: TimeWindow;
}

const usualSinceMs = 3_600_000;

/** Reads the window, and the one of the same length before where there is one. */
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

/** Of a source that does not grow everything is meant, unless a length is given. */
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
