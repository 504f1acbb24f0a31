import type { Command } from 'commander';
import { configurationName } from '../config/find-configuration.ts';
import type { Setting } from '../config/read-configuration.ts';
import { escapeText } from '../report/escape-text.ts';
import { quotePath } from '../source/file-error.ts';

/** A setting of the configuration file that the command uses. */
export interface AppliedSetting extends Setting {
  /** The attribute name that commander gives the option. */
  readonly attribute: string;
}

export interface ShownSettings {
  readonly command: Command;
  /** The texts of each option on the command line, by attribute. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly applied: readonly AppliedSetting[];
  /** Settings of the configuration file that the command does not use. */
  readonly unused: readonly Setting[];
  /** The path of the configuration file. */
  readonly path: string | null;
}

/** Options whose values may be secrets: only the name before the value is shown. */
const secrets = ['header', 'requestHeader', 'baggage', 'data'];

/** Lists the settings of a command, each with its origin. */
export function renderSettings({ command, given, applied, unused, path }: ShownSettings): string {
  const file = path === null ? null : quotePath(path);
  const rows = [
    ...command.args.map((text) => ['argument', text, 'command line']),
    ...command.options.flatMap((option) => {
      const attribute = option.attributeName();
      const texts = given.get(attribute);
      if (attribute === 'config' || attribute === 'showConfig') return [];
      if (texts !== undefined)
        return texts.map((text) => [option.name(), hide(attribute, text), 'command line']);
      if (option.defaultValue === undefined || applied.some((setting) => setting.attribute === attribute))
        return [];
      return [[option.name(), option.defaultValueDescription ?? String(option.defaultValue), 'default']];
    }),
    ...applied.map(({ key, attribute, value, place }) => [
      key,
      writeAll(attribute, value),
      `${file}:${place.line}`,
    ]),
    ...unused.map(({ key, value, place }) => [
      key,
      writeAll(key, value),
      `${file}:${place.line}, not used by ${command.name()}`,
    ]),
  ].map((cells) => cells.map(escapeText));
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [file === null ? `no ${configurationName}` : `settings of ${escapeText(file)}`, ...lines, ''].join(
    '\n',
  );
}

function hide(attribute: string, text: string): string {
  if (secrets.includes(attribute)) return `${/^[\w-]+[:=]/.exec(text)?.[0] ?? ''}…`;
  // The URL of a ClickHouse source may contain a password.
  return text.replace(/(:\/\/[^\s/:@]*):[^\s/]*@/g, '$1:…@');
}

function writeAll(attribute: string, value: unknown): string {
  return [value]
    .flat()
    .map((each) => hide(attribute, typeof each === 'object' ? JSON.stringify(each) : String(each)))
    .join(', ');
}
