import type { Command } from 'commander';
import { suggestName } from '../util/suggest-name.ts';

/** Replaces commander's own `help`, which answers an unknown name with the whole help. */
export function addHelpCommand(program: Command): void {
  program
    .command('help')
    .summary('print the help of a command')
    .description('Print the help of a command, or of all.')
    .argument('[command]', 'its name')
    .action((name: string | undefined) => {
      const { commands } = program;
      const command = name === undefined ? program : commands.find((each) => each.name() === name);
      if (command !== undefined) return command.help();
      const meant = suggestName(
        name ?? '',
        commands.map((each) => each.name()),
      );
      const suggestion = meant === null ? '' : `\n(Did you mean ${meant}?)`;
      program.error(`error: unknown command '${name}'${suggestion}`, { code: 'commander.unknownCommand' });
    });
}
