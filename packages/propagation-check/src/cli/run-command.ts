import type { Command } from 'commander';
import { addSourceCheckOptions, addSourceOptions, allowFailedRequests } from './common-options.ts';
import {
  parseBaggageEntry,
  parseCount,
  parseHttpUrls,
  parseMethod,
  parseRequestHeader,
  parseServices,
} from './parse-argument.ts';
import type { RunArguments } from './run-requests.ts';
import type { Session } from './session.ts';

const examples = `
Each request is the sampled root of a new trace, and the edge from this tool to
the called service is checked too. The first two requests (of three, the first)
are sent one after the other. A service that does not trust its callers
begins another trace: name the service with --service if many services export
to the source. Entries of --baggage must arrive wherever headers are seen.

Examples:
  $ propagation-check run http://localhost:8081/call-b --service service-a \\
      --source jaeger=http://localhost:16686 --expect "service-a -> service-b"
  $ propagation-check run http://localhost:8080/ --requests 40 --concurrency 8 \\
      --source tempo=http://localhost:3200
  $ propagation-check run http://localhost:8080/orders --method POST \\
      --data '{"sku":1}' --request-header "Content-Type: application/json" \\
      --source jaeger=http://localhost:16686
  $ propagation-check run http://localhost:8081/call-b --service service-a \\
      --source otlp
      with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 in the services,
      whatever their OTEL_EXPORTER_OTLP_PROTOCOL
  $ propagation-check run http://localhost:8081/call-b \\
      --source otlp=0.0.0.0:14318 --forward http://localhost:4318 \\
      --save spans.jsonl.gz
      a port of its own beside a Collector, which gets everything too; the file
      is for \`propagation-check file\`
  $ propagation-check run http://localhost:8080/ --wire wire.jsonl \\
      --source jaeger=http://localhost:16686 --baggage tenant=acme`;

export function addRunCommand(program: Command, session: Session): void {
  const command = program
    .command('run')
    .summary('send requests to URLs and check exactly the traces that they cause')
    .description(
      'Send requests to URLs, each with a new traceparent, and check exactly the traces that they cause.',
    )
    .argument('[url...]', 'URLs to request', parseHttpUrls)
    .option('--method <method>', 'HTTP method (default: GET, or POST with --data)', parseMethod)
    .option(
      '--request-header <field>',
      "header of each request, 'name: value'; may be repeated",
      parseRequestHeader,
    )
    .option('--data <text>', 'body of each request')
    .option('--requests <n>', 'number of requests to each URL', parseCount, 1)
    .option('--concurrency <n>', 'number of requests at a time, after the first one or two', parseCount, 10)
    .option('--baggage <key=value>', 'baggage of each request; may be repeated', parseBaggageEntry)
    .option(
      '--service <name>',
      'search for the traces of this service, if it begins new ones instead of continuing those of the requests; may be repeated',
      parseServices,
    )
    .addOption(allowFailedRequests());
  addSourceCheckOptions(addSourceOptions(command, 30_000), session)
    .addHelpText('after', examples)
    .action(async (urls: readonly URL[], args: RunArguments) => {
      const [first, ...others] = urls.length > 0 ? urls : (args.url ?? []);
      if (first === undefined) return command.error("missing required argument 'url'");
      const { runRequests } = await import('./run-requests.ts');
      session.setExitCode(await runRequests([first, ...others], args, session));
    });
}
