import { Option } from 'commander';
import { parseTimeout } from './parse-argument.ts';

/** Makes an option that takes a time. @param milliseconds The default. @param parse Returns milliseconds. */
export function timeOption(
  flags: string,
  description: string,
  milliseconds: number,
  parse: (text: string) => number = parseTimeout,
): Option {
  return new Option(flags, description).argParser(parse).default(milliseconds, `${milliseconds / 1_000}s`);
}
