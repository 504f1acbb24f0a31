import { existsSync, statSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { quotePath } from '../source/file-error.ts';
import { listNames } from '../util/list-names.ts';

/**
 * Advice for an option that commander 14 (`lib/command.js`) refuses: the commands that have the option or accept its value, or how to
 * give a file whose name begins with a dash; or the command for a file or a URL that stands in the place of a command. Null where there is
 * no advice.
 */
export function nameOtherCommands({ commands }: Command, text: string): string | null {
  const [, command] = /^error: unknown command '(.*?)'/s.exec(text) ?? [];
  if (command !== undefined) return nameCommandFor(command);
  const [, unknown] = /^error: unknown option '(--?[\w-]+)/.exec(text) ?? [];
  const [, file] = /^error: unknown option '(-.*?)'/s.exec(text) ?? [];
  if (file !== undefined && existsSync(file)) return `name the file ./${file}`;
  if (unknown !== undefined)
    return nameCommandsWith(commands, 'have', ({ long, short }) => [long, short].includes(unknown));
  const [, flag, value] =
    /^error: option '.*?(--[\w-]+)[^']*' argument '(.*)' is invalid\. /s.exec(text) ?? [];
  if (flag === undefined || value === undefined) return null;
  return nameCommandsWith(commands, 'take', (option) => option.long === flag && isTaken(option, value));
}

function nameCommandFor(argument: string): string | null {
  if (/^https?:\/\//i.test(argument)) return 'to request a URL: propagation-check run URL --source …';
  if (!existsSync(argument)) return null;
  return `to check this ${statSync(argument).isDirectory() ? 'folder: propagation-check audit' : 'file: propagation-check file'} ${quotePath(argument)}`;
}

function nameCommandsWith(
  commands: readonly Command[],
  verb: 'have' | 'take',
  isMeant: (option: Option) => boolean,
): string | null {
  const names = commands.filter(({ options }) => options.some(isMeant)).map((command) => command.name());
  if (names.length === 0) return null;
  const [has] = names.length === 1 ? [{ have: 'has', take: 'takes' }[verb]] : [verb];
  return `${listNames(names)} ${has} it`;
}

function isTaken({ parseArg }: Option, value: string): boolean {
  if (parseArg === undefined) return false;
  try {
    parseArg(value, undefined);
    return true;
  } catch {
    return false;
  }
}
