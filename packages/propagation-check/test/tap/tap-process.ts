// `propagation-check tap` alone, for tests that need a process with signals and exit codes.
import { Command } from 'commander';
import { addTapCommand } from '../../src/tap/tap-command.ts';

const program = new Command('propagation-check');
addTapCommand(program);
await program.parseAsync();
