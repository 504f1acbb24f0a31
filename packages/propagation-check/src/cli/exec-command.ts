import type { Command } from 'commander';
import type { ExecArguments } from './check-command.ts';
import { addReceiverOptions, addSourceCheckOptions, allowFailedRequests } from './common-options.ts';
import type { Session } from './session.ts';

const examples = `
The command gets the OTEL_* variables that send spans here, whatever its
language. It needs an SDK of its own, as in the second example: variables
that are exported before would instrument propagation-check too.
The report goes to standard error: standard output is the command's.

A signal goes to the command, and the third one kills it. When it has ended,
what arrived is judged. Processes that it leaves behind are ended.

A command that fails gives its own exit code, or 128 + the number of its signal.

Examples:
  $ propagation-check exec -- npm test
  $ propagation-check exec -- env OTEL_SERVICE_NAME=suite \\
    NODE_OPTIONS="--import @opentelemetry/auto-instrumentations-node/register" \\
    npm test
  $ propagation-check exec --expect "web -> orders" \\
      --report junit=propagation.xml -- npx vitest run
  $ propagation-check exec -- opentelemetry-instrument pytest
  $ propagation-check exec --save spans.jsonl.gz -- mvn -q test`;

export function addExecCommand(program: Command, session: Session): void {
  const command = program
    .command('exec')
    .usage('[options] -- COMMAND…')
    .summary('run a command, such as a test suite, and check all traces of its processes')
    .description(
      'Run a command, such as a test suite, with an OTLP receiver around it, and check every trace that its processes emit.',
    )
    .argument('<command...>', 'what to run, with its arguments')
    .option('--source <source>', 'where to listen: otlp=HOST:PORT', 'otlp=127.0.0.1:0')
    .addOption(allowFailedRequests())
    .passThroughOptions();
  addSourceCheckOptions(addReceiverOptions(command, 30_000), session)
    .addHelpText('after', examples)
    .action(async ([file = '', ...args]: readonly string[], options: ExecArguments) => {
      const { checkCommand } = await import('./check-command.ts');
      session.setExitCode(await checkCommand([file, ...args], options, session));
    });
}
