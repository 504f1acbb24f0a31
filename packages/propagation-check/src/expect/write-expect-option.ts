import { quoteForShell } from '../util/quote-for-shell.ts';

/** `--expect 'web -> orders'`, as a shell takes it. */
export function writeExpectOption(client: string, server: string): string {
  return `--expect ${quoteForShell(`${client} -> ${server}`)}`;
}
