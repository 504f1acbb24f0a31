import { escapeText } from '../report/escape-text.ts';

/** A message of commander in one line, as every other error is said, with what to do at its end. */
export function toErrorLine(program: string, text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n/g, ' ');
  const saysWhatToDo = /Did you mean|is invalid/.test(line);
  return `${program}: ${escapeText(line)}${saysWhatToDo ? '' : '; see --help'}`;
}
