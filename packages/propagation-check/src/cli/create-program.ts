import { Command, Help } from 'commander';
import { wrap } from '../report/layout.ts';
import { addSinkCommand } from '../sink/sink-command.ts';
import { addTapCommand } from '../tap/tap-command.ts';
import { messageOf } from '../util/message-of.ts';
import { addAuditCommand } from './audit-command.ts';
import { exitCodeHelp } from './common-options.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addExecCommand } from './exec-command.ts';
import { addExplainCommand } from './explain-command.ts';
import { addFileCommand } from './file-command.ts';
import { addHelpCommand } from './help-command.ts';
import { nameOtherCommands } from './name-other-commands.ts';
import { readToolVersion } from './read-tool-version.ts';
import { refuseSecond } from './refuse-second.ts';
import { addRunCommand } from './run-command.ts';
import type { Session } from './session.ts';
import { toErrorLine } from './to-error-line.ts';
import { addTraceCommand } from './trace-command.ts';
import { addWatchCommand } from './watch-command.ts';

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
  $ propagation-check watch --source jaeger=http://localhost:16686
  $ propagation-check audit --source jaeger=http://localhost:16686 --since 1h
  $ propagation-check sink --state counters.json
  $ propagation-check tap --listen 8083 --target http://localhost:8082
  $ propagation-check doctor
  $ propagation-check explain split-trace

Each command has its own --help.${exitCodeHelp}`;

/** Makes the whole command line. Its errors are thrown, those of commander too. */
export function createProgram(session: Session): Command {
  const program = new Command('propagation-check')
    .description('Checks every edge of distributed traces and says why trace context propagation broke.')
    .version(readToolVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .allowExcessArguments(false)
    // So that `exec` leaves the options behind its command to that command.
    .enablePositionalOptions()
    .configureHelp({ helpWidth: session.output.width, minWidthToWrap: leastWidth, formatItem })
    .configureOutput({
      writeOut: prepareHelp(session),
      writeErr: session.writeError,
      outputError: (text, write) =>
        write(`${program.name()}: ${toErrorLine(text, nameOtherCommands(program, text))}\n`),
      getOutHasColors: () => session.output.color,
      getErrHasColors: () => false,
    })
    .addHelpText('after', examples);
  addRunCommand(program, session);
  addExecCommand(program, session);
  addTraceCommand(program, session);
  addFileCommand(program, session);
  addWatchCommand(program, session);
  addAuditCommand(program, session);
  addSinkCommand(program, session);
  refuseSecond(addTapCommand(program), ['listen', 'target', 'name', 'client', 'server', 'out']);
  addDoctorCommand(program, session);
  addExplainCommand(program, session);
  addHelpCommand(program);
  return program;
}

/** A description narrower than this is hard to read, and goes below its term instead of beside it. */
const leastWidth = 30;

/** Formats a term as commander does where there is room for the description beside it. */
function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? 80;
  const around = 4;
  if (description === '' || width - termWidth - around >= leastWidth)
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  const lines = helper.boxWrap(description, width - around).split('\n');
  return [`  ${term}`, ...lines.map((line) => `${' '.repeat(around)}${line}`)].join('\n');
}

/** Wraps paragraphs that are wider than the terminal. Indented lines are commands to copy, and stay as they are. */
function wrapProse(text: string, width: number): string {
  return text.replace(/(?:^(?!Usage:)\S.*\n?)+/gm, (paragraph) => {
    const lines = paragraph.trimEnd().split('\n');
    if (lines.every((line) => line.length <= width)) return paragraph;
    return wrap(lines.join(' '), width).join('\n') + paragraph.slice(paragraph.trimEnd().length);
  });
}

/** Prints the parts of a help. An error of the output is reported only once. */
function prepareHelp({ output, writeError, setExitCode }: Session): (text: string) => void {
  let isSaid = false;
  return (text) =>
    void output.print(wrapProse(text, output.width)).catch((error: unknown) => {
      if (!isSaid) writeError(`propagation-check: ${messageOf(error)}\n`);
      isSaid = true;
      setExitCode(2);
    });
}
