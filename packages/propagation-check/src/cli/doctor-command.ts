import { type Command, InvalidArgumentError } from 'commander';
import { doctorReportNames } from '../doctor/report-names.ts';
import { append } from '../util/append.ts';
import type { DoctorArguments } from './examine-folder.ts';
import type { Session } from './session.ts';

const examples = `
Reads package.json and lock files, Dockerfiles, Compose and Kubernetes files,
env files, declarative configuration of OpenTelemetry, gateway files (nginx,
Envoy, Istio, HAProxy, Caddy, Traefik), Python, Java and Go manifests, and
sources in JavaScript, TypeScript, Python and Go. Nothing is executed, nothing
is sent. Tests, fixtures and built files are left out.

Examples:
  $ propagation-check doctor
  $ propagation-check doctor services/orders --report sarif=doctor.sarif
  $ propagation-check doctor --json

Exit code: 0 no error found, 1 an error found, 2 nothing to look at.`;

export function addDoctorCommand(program: Command, session: Session): void {
  program
    .command('doctor')
    .summary('read a project and say what will break propagation, before a request is made')
    .description('Read the files of a project and say what will break propagation, before a request is made.')
    .argument('[folder]', 'folder of the project', '.')
    .option(
      '--report <report>',
      `format of the report: ${doctorReportNames.join(', ')} (default: terminal); NAME=FILE writes it to a file; may be repeated`,
      appendReport,
    )
    .option('--json', 'short for --report json')
    .addHelpText('after', examples)
    .action(async (folder: string, args: DoctorArguments) => {
      session.endOnSignals();
      const { examineFolder } = await import('./examine-folder.ts');
      session.setExitCode(await examineFolder(folder, args, session));
    });
}

/** Parses `--report`. Whether its file can be written is checked later, together with the others. */
function appendReport(text: string, before?: readonly string[]): readonly string[] {
  const name = text.replace(/=.*/s, '');
  if (!doctorReportNames.some((known) => known === name))
    throw new InvalidArgumentError(`Expected ${doctorReportNames.join(', ')}, or NAME=FILE.`);
  return append(text, before);
}
