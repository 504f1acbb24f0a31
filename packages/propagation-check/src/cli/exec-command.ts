import type { Command } from 'commander';
import type { ExecArguments } from './check-command.ts';
import { addReceiverOptions, addSourceCheckOptions, allowFailedRequests } from './common-options.ts';
import type { Session } from './session.ts';

const examples = `
The command gets the OTEL_* variables with which SDKs of all languages export
to the receiver. It needs an SDK of its own, set up as in the second example:
exported variables would instrument propagation-check too.
The report goes to standard error: standard output belongs to the command.

Signals are forwarded to the command, and the third one kills it. When it has
ended, the spans that arrived are judged. Processes that outlive it are ended.

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
      'Start an OTLP receiver, run a command, such as a test suite, and check every trace that its processes export.',
    )
    .argument('<command...>', 'command to run, with its arguments')
    .option('--source <source>', 'address of the receiver: otlp=HOST:PORT', 'otlp=127.0.0.1:0')
    .addOption(allowFailedRequests())
    .passThroughOptions();
  addSourceCheckOptions(addReceiverOptions(command, 30_000), session)
    .addHelpText('after', examples)
    .action(async ([file = '', ...args]: readonly string[], options: ExecArguments) => {
      const { checkCommand } = await import('./check-command.ts');
      session.setExitCode(await checkCommand([file, ...args], options, session));
    });
}
