/** Sends requests to service A, which calls service B, and asserts with Jaeger's API that each trace continues in B. */

import { drawUpAccount, isBalanced, readCounters, renderAccount, settleCounters, type Way } from 'account';
import { type Command, Option } from 'commander';
import { openSource } from 'propagation-check';
import { openOutput } from 'propagation-check/kit';
import { callServiceA } from './assertion/call-service-a.ts';
import { defaultSettleMs, defaultSourcePatienceMs } from './assertion/check-call.ts';
import { checkCalls } from './assertion/check-calls.ts';
import { findNextCommand } from './assertion/next-command.ts';
import { renderAssertionJson } from './assertion/render-json.ts';
import { renderAssertionText } from './assertion/render-text.ts';
import { type TraceCheck, toExitCode } from './assertion/run.ts';
import {
  type AssertionArguments,
  createAssertionCommand,
  parseHttpUrl,
  readArguments,
} from './assertion-options.ts';
import { runScript } from './run-script.ts';

interface Arguments extends AssertionArguments {
  readonly account: boolean;
  readonly countersBy: Way;
  readonly serviceA: URL;
  readonly jaeger: URL;
  readonly jaegerUi?: URL;
  readonly source?: string;
}

await runScript(assertPropagation, 'assert');

async function assertPropagation(signal: AbortSignal): Promise<number> {
  const args = readArguments<Arguments>(createCommand());
  const { serviceA, requests, concurrency, mode } = args;
  const timeoutMs = args.timeout * 1000;
  const output = openOutput();
  const spec = args.source ?? `jaeger=${args.jaeger.href}`;
  const isJaeger = spec.startsWith('jaeger=');
  const jaegerUi = isJaeger ? (args.jaegerUi?.href ?? spec.slice('jaeger='.length)) : null;

  const source = await openSource(spec);
  try {
    const read = () => readCounters(args.countersBy, signal);
    const before = args.account ? await settleCounters(read, { timeoutMs, signal }) : null;
    const calls = await callServiceA({ serviceA, requests, concurrency, timeoutMs, signal });
    const common = { source, timeoutMs, concurrency, signal };
    const run = await checkCalls(calls, {
      ...common,
      mode,
      settleMs: defaultSettleMs,
      sourcePatienceMs: defaultSourcePatienceMs,
    });
    // Printed before the account, which may fail.
    if (!args.json) await output.print(renderAssertionText(run, { ...output, jaegerUi }));
    const traceIds = readTraceIds(run.checks);
    const account = before && (await drawUpAccount(before, traceIds, { ...common, read }));
    const isWhole = account && isBalanced(account);
    if (args.json) {
      await output.print(renderAssertionJson(run, { jaegerUi }, account === null ? {} : { account }));
    } else {
      if (account !== null) await output.print(renderAccount(account, output));
      const next = findNextCommand({
        verdict: run.verdict,
        isBalanced: isWhole,
        traceId: [...traceIds][0],
        source: nameForHost(spec, args.jaegerUi),
      });
      await output.print(`next       ${next}\n`);
    }
    const exitCode = toExitCode(run.verdict);
    return exitCode === 0 && isWhole === false ? 1 : exitCode;
  } finally {
    await source.close();
  }
}

function createCommand(): Command {
  return createAssertionCommand(
    'assert',
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
    .option('--account', 'also print what became of each span, hop by hop, and whether the sums agree', false)
    .addOption(
      new Option('--counters-by <way>', 'how the counters are read, which no port publishes')
        .choices(['compose', 'network'])
        .env('COUNTERS_BY')
        .default('compose'),
    )
    .option('--source <spec>', 'read the trace from elsewhere, for instance tempo=http://localhost:3200');
}

/** Replaces Jaeger's host name in the stack's network by the one on the host. */
function nameForHost(spec: string, jaegerUi: URL | undefined): string {
  return spec.startsWith('jaeger=') && jaegerUi !== undefined ? `jaeger=${jaegerUi.origin}` : spec;
}

/** The trace ids of A and B; a broken call has two traces. */
function readTraceIds(checks: readonly TraceCheck[]): ReadonlySet<string> {
  const ids = checks.flatMap(({ answer }) => [answer?.service_a_trace_id, answer?.service_b_trace_id]);
  return new Set(ids.filter((id) => typeof id === 'string'));
}

function urlOption(flags: string, description: string, variable: string, standard?: string): Option {
  const option = new Option(flags, description).env(variable).argParser(parseHttpUrl);
  return standard === undefined ? option : option.default(new URL(standard), standard);
}
