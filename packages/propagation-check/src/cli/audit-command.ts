import type { Command } from 'commander';
import { auditSpecs } from '../source/source-specs.ts';
import type { AuditArguments } from './audit-arguments.ts';
import { addCheckOptions } from './common-options.ts';
import {
  parseCount,
  parseDuration,
  parseHeaderField,
  parseMoment,
  parseShare,
  parseTimeout,
} from './parse-argument.ts';
import type { Session } from './session.ts';
import { timeOption } from './time-option.ts';

const examples = `
Files are read whole unless --since or --until is given; then --since counts
back from their newest trace. Of other sources the last hour is read.

Ctrl-C ends --every with the exit code of the last audit.

Examples:
  $ propagation-check audit --source jaeger=http://localhost:16686 --since 1h
  $ propagation-check audit --source tempo=http://localhost:3200 \\
      --since 15m --every 1m --state audit.json
  $ propagation-check audit dump/year=2026/ --fail-under 99.5%
  $ propagation-check audit 'spans-*.jsonl.gz' --json
  $ propagation-check audit --source clickhouse=https://me@host:8443/otel`;

export function addAuditCommand(program: Command, session: Session): void {
  const command = program
    .command('audit')
    .summary('audit every edge of a system over a window of time')
    .description(
      'Audit every edge of a system over a window of time: calls, the share of intact ones with its 95 % interval, causes and example ' +
        'traces, the trend since the preceding window, and what is new since the last run.',
    )
    .argument(
      '[paths...]',
      'files, folders and patterns of files, as exporters of the Collector write them; - for standard input',
    )
    .option('--source <source>', `where the spans are: ${auditSpecs.slice(0, 4).join(', ')}`)
    .option('--since <time>', 'length of the window', parseDuration)
    .option('--until <time>', 'end of the window: an RFC 3339 time, or how long ago', parseMoment)
    .option('--every <time>', 'repeat the audit at this interval, until Ctrl-C', parseTimeout)
    .option(
      '--fail-under <share>',
      'least share of intact calls of each edge, for instance 99.5%: fail below it, and accept broken calls above it',
      parseShare,
    )
    .option('--print-sql', 'print the SQL of a view with which ClickHouse counts each minute once, and exit')
    .option(
      '--state <file>',
      'file with the state of the last run, which shows what is new; read and written',
    )
    .option('--limit <n>', 'most traces that are read of Jaeger or Tempo for one window', parseCount, 20_000)
    .addOption(
      timeOption('--settle <time>', 'end the window this long before now, because spans arrive late', 15_000),
    )
    .option(
      '--header <field>',
      "header of requests to the source: 'Authorization: Bearer …'; may be repeated",
      parseHeaderField,
    );
  const refuseOptions = async (isGiven: (option: string) => boolean) => {
    const { refuseOptionsOfAudit } = await import('./open-audit-source.ts');
    refuseOptionsOfAudit(command.args, command.opts<AuditArguments>(), isGiven);
  };
  addCheckOptions(command, session, refuseOptions)
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], args: AuditArguments) => {
      if (args.printSql === true) {
        const { renderViewSql } = await import('./open-audit-source.ts');
        await session.output.print(await renderViewSql(paths, args));
        return;
      }
      const { runAudit } = await import('./run-audit.ts');
      await runAudit(paths, args, session);
    });
}
