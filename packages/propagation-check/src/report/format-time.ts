/** An RFC 3339 time in UTC, to the second: `2026-11-30 18:05:00`. */
export function formatTime(time: string): string {
  return time.replace('T', ' ').replace(/\.\d+Z/, '');
}
