import { type Command, Option } from 'commander';
import { append } from '../util/append.ts';
import type { TapCommandOptions } from './run-tap.ts';

const examples = `
Examples:
  $ propagation-check tap --listen 8083 --target http://service-b:8082
      then let service A call port 8083 instead of service B
  $ propagation-check tap --listen 8083 --target http://service-b:8082 \\
      --fault strip --fault-rate 0.3
  $ propagation-check tap --listen 0.0.0.0:8083 --target http://service-b:8082 \\
      --client service-a --server service-b --out wire.jsonl

Each request becomes one JSON line: which propagation headers arrived from the
caller ("sent") and which went on to the target ("received"), and what the
answer says of the target's own span ("answered": traceresponse,
Server-Timing). Values of other headers and query strings are never written,
those of baggage and tracestate only with --show: to judge baggage by its
value, show the key that is expected.

Ctrl-C and SIGTERM end it: exit code 0 when all records are written. Exit code
2: it could not start, or records were lost.`;

/** Adds the subcommand `tap`. Its action sets `process.exitCode`: 0 after a signal, 2 when it could not start. */
export function addTapCommand(program: Command): Command {
  return program
    .command('tap')
    .summary('reverse proxy that records, and can break, the propagation headers between two services')
    .description('Reverse proxy that records, and can break, the propagation headers between two services.')
    .option('--listen <[host:]port>', 'address for callers; without a host 127.0.0.1; port 0: a free port')
    .option('--target <url>', 'next hop, http://HOST:PORT; HTTP/1.1, HTTP/2 (prior knowledge), WebSocket')
    .option('--name <name>', 'name of the tap in the records (default: its address)')
    .option('--client <service>', 'service.name of the caller, if it calls the tap directly')
    .option('--server <service>', 'service.name of the target, if no hop is in between')
    .option(
      '--fault <fault>',
      'strip, rewrite, corrupt, cut, duplicate, drop-baggage, unsample, truncate, delay=MS; may be repeated',
      append,
    )
    .addOption(withDefault('--fault-rate <0..1>', 'share of requests that get the faults', '1'))
    .addOption(withDefault('--fault-seed <n>', 'with the same seed the same requests get the faults', '1'))
    .addOption(
      withDefault('--timeout <time>', 'how long the target may take to begin its answer; 0: no limit', '60s'),
    )
    .addOption(
      withDefault('--max-header-size <bytes>', 'limit of the headers of a request and of an answer', '65536'),
    )
    .option(
      '--show <key>',
      'baggage or tracestate key whose value is recorded too; of others only the key is; may be repeated',
      append,
    )
    .option('--out <file>', 'append the records to a file instead of standard output')
    .addHelpText('after', examples)
    .action(async (options: TapCommandOptions, command: Command) => {
      const { runTap } = await import('./run-tap.ts');
      const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli');
      process.exitCode = await runTap(options, new Set(given));
    });
}

/** An option with a default, which the help shows without commander's quotes. */
function withDefault(flags: string, description: string, value: string): Option {
  return new Option(flags, description).default(value, value);
}
