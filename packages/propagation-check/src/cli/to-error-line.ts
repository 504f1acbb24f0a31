import { escapeText } from '../report/escape-text.ts';

/** Messages of commander 14 (`lib/command.js`), and the form that all errors of this tool have: PLACE: what is expected. */
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
 * Turns a message of commander into one line in the form of the other errors, with an advice at its end.
 * @param elsewhere Which other commands accept the refused option or value.
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

/** Lets the message of a parser continue after the name of the option: commander prints it as a sentence of its own. */
export function continueLine(message: string): string {
  return message.replace(/^Expected/, 'expected').replace(/\.$/, '');
}
