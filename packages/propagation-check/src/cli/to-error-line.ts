import { escapeText } from '../report/escape-text.ts';

/** Messages of commander 14 (`lib/command.js`), and how every other error of this tool is said: WHERE: what is expected. */
const wordings: readonly (readonly [RegExp, string])[] = [
  [/^option '.*?(--[\w-]+)[^']*' argument '(.*)' is invalid\. /s, '$1 "$2": '],
  [/^option '.*' value '(.*)' from env '(\w+)' is invalid\. /s, '$2="$1": '],
  [/^command-argument value '(.*)' is invalid for argument '([\w-]+)'\. /s, '$2 "$1": '],
  [/^option '.*?(--[\w-]+ .*)' argument missing$/s, '$1: its value is missing'],
  [/^too many arguments(.*)\. E/s, 'too many arguments$1: e'],
  [/: Allowed choices are /, ': expected one of '],
  [/: Expected /, ': expected '],
];

/**
 * A message of commander in one line, as every other error is said, with what to do at its end.
 * @param elsewhere Which other commands take what is refused.
 */
export function toErrorLine(text: string, elsewhere: string | null = null): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n/g, ' ');
  const said = wordings.reduce((so, [pattern, words]) => so.replace(pattern, words), line).replace(/\.$/, '');
  if (elsewhere !== null) return `${escapeText(said.replace(/ \(Did you mean .*\)$/, ''))}; ${elsewhere}`;
  const saysWhatToDo = /Did you mean/.test(said) || (/: expected /.test(said) && !/^too many/.test(said));
  return `${escapeText(said)}${saysWhatToDo ? '' : '; see --help'}`;
}

/** A parser's message after the name of the option: commander has it as a sentence of its own. */
export function continueLine(message: string): string {
  return message.replace(/^Expected/, 'expected').replace(/\.$/, '');
}
