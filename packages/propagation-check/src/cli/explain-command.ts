import type { Command } from 'commander';
import type { Session } from './session.ts';

const examples = `
Examples:
  $ propagation-check explain split-trace
  $ propagation-check explain header-stripped | less
  $ propagation-check explain propagators-none   a check of doctor`;

export function addExplainCommand(program: Command, session: Session): void {
  program
    .command('explain')
    .summary('print the page of a finding: what it shows, why it happens, what to change')
    .description(
      'Print the page of a finding: what it shows, why it happens, how to be sure and what to change.',
    )
    .argument('[finding]', 'as the report names it: split-trace; none lists all')
    .addHelpText('after', examples)
    .action(async (id: string | undefined) => {
      const { explainFinding } = await import('./explain-finding.ts');
      session.setExitCode(await explainFinding(id ?? null, session));
    });
}
