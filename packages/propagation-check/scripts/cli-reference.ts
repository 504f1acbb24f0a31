import type { Argument, Command, Option } from 'commander';
import { exitCodeHelp } from '../src/cli/common-options.ts';
import { createProgram } from '../src/cli/create-program.ts';
import type { Session } from '../src/cli/session.ts';

const session: Session = {
  output: { width: 80, color: false, print: async () => undefined },
  writeError: () => undefined,
  setExitCode: () => undefined,
  signal: new AbortController().signal,
  endOnSignals: () => undefined,
};

/** An option that at least this many commands share is described once. */
const leastShared = 3;

/** The page with every command and option, as `--help` describes them. */
export function renderCliReference(): string {
  const program = createProgram(session);
  const commands = program.commands
    .filter((command) => command.name() !== 'help')
    .map((command) => ({ command, rows: listOptions(command) }));
  const users = Map.groupBy(
    commands.flatMap(({ command, rows }) => rows.map((row) => ({ row, name: command.name() }))),
    ({ row }) => row,
  );
  const shared = [...users].filter(([, uses]) => uses.length >= leastShared);
  const isShared = new Set(shared.map(([row]) => row));
  return [
    '# Command line',
    '',
    '<!-- Written by `npm run docs -w propagation-check` from the code. -->',
    '',
    `${program.description()} \`--help\` after a command shows the same in the terminal.`,
    '',
    '| command | |',
    '|---|---|',
    ...commands.map(
      ({ command }) => `| [\`${command.name()}\`](#${command.name()}) | ${summarise(command)} |`,
    ),
    '',
    exitCodeHelp.trim().replace('\n', ' '),
    '',
    ...commands.flatMap(({ command, rows }) =>
      renderCommand(
        command,
        rows.filter((row) => !isShared.has(row)),
        rows.some((row) => isShared.has(row)),
      ),
    ),
    '## Shared options',
    '',
    '| option | meaning | default | of |',
    '|---|---|---|---|',
    ...shared.map(([row, uses]) => `${row} ${uses.map(({ name }) => `\`${name}\``).join(', ')} |`),
    '',
  ].join('\n');
}

function renderCommand(command: Command, rows: readonly string[], hasMore: boolean): readonly string[] {
  const help = readHelp(command);
  return [
    `## ${command.name()}`,
    '',
    toSentence(command.description()),
    '',
    '```',
    `propagation-check ${command.name()} ${command.usage()}`,
    '```',
    '',
    '| option | meaning | default |',
    '|---|---|---|',
    ...command.registeredArguments.map(
      (argument) => `| \`${escapeCell(showArgument(argument))}\` | ${escapeCell(argument.description)} | |`,
    ),
    ...rows,
    '',
    ...(hasMore ? ['And the [shared options](#shared-options) that name it.', ''] : []),
    ...(help === '' ? [] : ['```', help, '```', '']),
  ];
}

/** A row of the table for each option. */
function listOptions(command: Command): readonly string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help')
    .map(
      (option) =>
        `| \`${escapeCell(option.flags)}\` | ${escapeCell(option.description)} | ${readDefault(option)} |`,
    );
}

function summarise(command: Command): string {
  return escapeCell(command.summary() || command.description());
}

/** The text below the options: explanations and examples. */
function readHelp(command: Command): string {
  const printed: string[] = [];
  command.configureOutput({ writeOut: (text) => printed.push(text), getOutHelpWidth: () => 80 });
  const own = command.helpInformation();
  command.outputHelp();
  return printed.join('').slice(own.length).replace(exitCodeHelp.trim(), '').trim();
}

function readDefault({ defaultValue, defaultValueDescription }: Option): string {
  const value: unknown = defaultValueDescription ?? defaultValue;
  return value === undefined || value === false ? '' : `\`${escapeCell(String(value))}\``;
}

function showArgument(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function toSentence(text: string): string {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.:]$/.test(sentence) ? sentence : `${sentence}.`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
