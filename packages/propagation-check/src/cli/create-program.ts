import { Command } from 'commander';
import { escapeText } from '../report/escape-text.ts';
import { addTapCommand } from '../tap/tap-command.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addExecCommand } from './exec-command.ts';
import { addExplainCommand } from './explain-command.ts';
import { addFileCommand } from './file-command.ts';
import { readToolVersion } from './read-tool-version.ts';
import { addRunCommand } from './run-command.ts';
import type { Session } from './session.ts';
import { addTraceCommand } from './trace-command.ts';

const examples = `
Examples:
  $ propagation-check run http://localhost:8081/call-b \\
      --source jaeger=http://localhost:16686
  $ propagation-check exec --expect "web -> orders" -- npm test
  $ propagation-check trace 4bf92f3577b34da6a3ce929d0e0e4736 \\
      --source tempo=http://localhost:3200
  $ propagation-check trace --service web --since 15m \\
      --source jaeger=http://localhost:16686
  $ propagation-check file trace.json --expect "web -> orders"
  $ propagation-check tap --listen 8083 --target http://localhost:8082
  $ propagation-check doctor
  $ propagation-check explain split-trace

Each command has its own --help.
Exit code: 0 every edge is intact, 1 an edge is broken, 2 cannot tell.`;

/** The whole command line. Bad input throws, and commander's own errors do too. */
export function createProgram(session: Session): Command {
  const program = new Command('propagation-check')
    .description('Checks every edge of distributed traces and says why trace context propagation broke.')
    .version(readToolVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .allowExcessArguments(false)
    // `exec` hands the options behind its command on.
    .enablePositionalOptions()
    .configureHelp({ helpWidth: session.output.width })
    .configureOutput({
      writeOut: (text) => void session.output.print(text).catch(() => session.setExitCode(2)),
      writeErr: session.writeError,
      outputError: (text, write) => write(`${toErrorLine(text)}\n`),
      getOutHasColors: () => session.output.color,
      getErrHasColors: () => false,
    })
    .addHelpText('after', examples);
  addRunCommand(program, session);
  addExecCommand(program, session);
  addTraceCommand(program, session);
  addFileCommand(program, session);
  addTapCommand(program);
  addDoctorCommand(program, session);
  addExplainCommand(program, session);
  return program;
}

/** One line, with the suggestion at its end. */
function toErrorLine(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n/g, ' ');
  const saysWhatToDo = /Did you mean|is invalid/.test(line);
  return `propagation-check: ${escapeText(line)}${saysWhatToDo ? '' : '; --help shows examples'}`;
}
