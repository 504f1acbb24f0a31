/** Asks service A to call service B, and proves from Jaeger's API that the trace reached across. */
import { Option } from 'commander';
import { callServiceA } from '../propagation-check/src/assertion/call-service-a.ts';
import { defaultSettleMs, defaultSourcePatienceMs } from '../propagation-check/src/assertion/check-call.ts';
import { checkCalls } from '../propagation-check/src/assertion/check-calls.ts';
import { toExitCode } from '../propagation-check/src/assertion/run.ts';
import { renderAssertionJson } from '../propagation-check/src/report/assertion-json.ts';
import { renderAssertionText } from '../propagation-check/src/report/assertion-text.ts';
import { openSource } from '../propagation-check/src/source/open-source.ts';
import { type AssertionArguments, createAssertionCommand, parseHttpUrl } from './assertion-options.ts';
import { openOutput } from './open-output.ts';
import { runScript } from './run-script.ts';

interface Arguments extends AssertionArguments {
  readonly serviceA: URL;
  readonly jaeger: URL;
  readonly jaegerUi?: URL;
  readonly source?: string;
}

await runScript(assertPropagation);

async function assertPropagation(signal: AbortSignal): Promise<number> {
  const command = createAssertionCommand(
    'assert-propagation',
    'Prove trace context propagation from service A to service B with the trace that Jaeger holds.',
  )
    .addOption(
      urlOption('--service-a <url>', 'where service A listens', 'SERVICE_A_URL', 'http://localhost:8081'),
    )
    .addOption(
      urlOption('--jaeger <url>', "where Jaeger's API listens", 'JAEGER_URL', 'http://localhost:16686'),
    )
    .addOption(
      urlOption('--jaeger-ui <url>', "Jaeger's UI for links (default: as --jaeger)", 'JAEGER_UI_URL'),
    )
    .option('--source <spec>', 'read the trace from elsewhere, for instance tempo=http://localhost:3200')
    .parse();
  const args = command.opts<Arguments>();
  const { serviceA, requests, concurrency, mode } = args;
  const timeoutMs = args.timeout * 1000;
  const output = openOutput();
  const spec = args.source ?? `jaeger=${args.jaeger.href}`;
  const isJaeger = spec.startsWith('jaeger=');
  const jaegerUi = isJaeger ? (args.jaegerUi?.href ?? spec.slice('jaeger='.length)) : null;

  const source = await openSource(spec);
  try {
    const calls = await callServiceA({ serviceA, requests, concurrency, timeoutMs, signal });
    const run = await checkCalls(calls, {
      source,
      mode,
      timeoutMs,
      settleMs: defaultSettleMs,
      sourcePatienceMs: defaultSourcePatienceMs,
      concurrency,
      signal,
    });
    const render = args.json ? renderAssertionJson : renderAssertionText;
    await output.print(render(run, { ...output, jaegerUi }));
    return toExitCode(run.verdict);
  } finally {
    await source.close();
  }
}

function urlOption(flags: string, description: string, variable: string, standard?: string): Option {
  const option = new Option(flags, description).env(variable).argParser(parseHttpUrl);
  return standard === undefined ? option : option.default(new URL(standard), standard);
}
