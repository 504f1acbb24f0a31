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
Each request is the sampled root of a trace of its own, and the edge from this
tool to the called service is checked too. A service that does not trust its
callers begins another: where many services export to the source, name it with
--service. --baggage entries are sent, and must arrive wherever headers were
seen.

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
      'Send requests to URLs, each with a fresh traceparent, and check exactly the traces that they cause.',
    )
    .argument('[url...]', 'what to request', parseHttpUrls)
    .option('--method <method>', 'default: GET, or POST with --data', parseMethod)
    .option('--request-header <field>', "sent to the URL, 'name: value'; may be repeated", parseRequestHeader)
    .option('--data <text>', 'body of each request')
    .option('--requests <n>', 'how many, to each URL', parseCount, 1)
    .option('--concurrency <n>', 'how many at a time', parseCount, 10)
    .option('--baggage <key=value>', 'sent with each request; may be repeated', parseBaggageEntry)
    .option(
      '--service <name>',
      'search for traces that this service begins during the requests, instead of continuing ours; may be repeated',
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
