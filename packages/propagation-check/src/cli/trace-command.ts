import type { Command } from 'commander';
import type { TraceArguments } from './check-stored-traces.ts';
import { addSourceCheckOptions, addSourceOptions } from './common-options.ts';
import { parseCount, parseDuration, parseService, parseTraceId } from './parse-argument.ts';
import type { Session } from './session.ts';

const examples = `
Examples:
  $ propagation-check trace 4bf92f3577b34da6a3ce929d0e0e4736 \\
      --source jaeger=http://localhost:16686
  $ propagation-check trace --service web --since 15m --limit 50 \\
      --source tempo=http://localhost:3200
  $ propagation-check trace --service web \\
      --source jaeger=https://jaeger.example \\
      --header "Authorization: Bearer $TOKEN"
  $ propagation-check trace 4bf92f3577b34da6a3ce929d0e0e4736 \\
      --source jaeger=http://localhost:16686 --expect "web -> orders"`;

export function addTraceCommand(program: Command, session: Session): void {
  const command = program
    .command('trace')
    .summary('check traces that a source holds, by id or by a search')
    .description(
      'Check traces that a source holds: by their ids, or the newest ones of a service. If the other side of a call is missing, ' +
        'the source is searched for a trace that began there. If a request began a trace named by id, its caller is searched for, too.',
    )
    .argument('[trace-ids...]', '32 hex digits each, or 16; leading zeros may be left out', parseTraceId)
    .option('--service <name>', 'search for traces of this service, instead of naming ids', parseService)
    .option('--since <time>', 'how far back to search (default: 1h, and everything in a file)', parseDuration)
    .option('--limit <n>', 'how many traces to search for', parseCount, 20);
  addSourceCheckOptions(addSourceOptions(command, 10_000), session)
    .addHelpText('after', examples)
    .action(async (traceIds: readonly string[] | undefined, args: TraceArguments) => {
      const { checkStoredTraces } = await import('./check-stored-traces.ts');
      session.setExitCode(await checkStoredTraces(traceIds ?? [], args, session));
    });
}
