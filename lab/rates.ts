/** Breaks every edge of every healthy capture of the corpus in several ways, and counts how many of the breaks are found. */
import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { Command } from 'commander';
import { runScript } from 'demo';
import { checkTraces, type Expectation } from 'propagation-check';
import { openOutput } from 'propagation-check/kit';
import { breakCalls, type HealthyEdge, listEdges, losses } from './break-edge.ts';
import { type Capture, corpusFolders, readCorpus } from './read-corpus.ts';

/** The share of an edge's calls that are broken. A tenth of fewer than 20 calls is a single call, which proves nothing. */
const portions = [
  { name: 'all calls', step: 1, fewest: 1 },
  { name: '30 % of the calls', step: 10 / 3, fewest: 4 },
  { name: '10 % of at least 20', step: 10, fewest: 20 },
] as const;

interface Rate {
  breaks: number;
  found: number;
  expected: number;
}

await runScript(async (signal) => {
  const command = new Command('rates')
    .description('Break every edge of every healthy capture, and count the breaks that are found.')
    .exitOverride()
    .argument('[folder...]', 'folders of captures (default: those of the project)')
    .option('--missed', 'name the breaks that are not found')
    .addHelpText(
      'after',
      '\nExit code: 0 no healthy twin raises an error, 1 some do, 2 a capture cannot be read.',
    )
    .parse();
  const output = openOutput();
  const rates = new Map<string, Rate>();
  let [edges, alarms] = [0, 0];
  for (const capture of (command.args.length > 0 ? command.args : corpusFolders).flatMap(readCorpus)) {
    if (capture.label.verdict !== 'healthy') continue;
    for (const edge of listEdges(capture.spans)) {
      edges += 1;
      const expectation = expect(capture, edge);
      if (isAlarm(capture, expectation) || isAlarm(capture)) {
        alarms += 1;
        await output.print(
          `${capture.name}  ${edge.client} -> ${edge.server}: the healthy twin raises an error\n`,
        );
      }
      const missed = breakEdge(capture, edge, expectation, rates);
      if (command.opts().missed === true)
        for (const line of missed)
          await output.print(`${capture.name}  ${edge.client} -> ${edge.server}: ${line}\n`);
      await untilNextTurn();
      signal.throwIfAborted();
    }
  }
  for (const [name, { breaks, found, expected }] of rates) {
    const percent = (count: number): string => `${Math.round((100 * count) / breaks)} %`.padStart(5);
    await output.print(
      `${name.padEnd(36)} ${String(breaks).padStart(4)} breaks: found ${percent(found)}, with expectation ${percent(expected)}\n`,
    );
  }
  await output.print(`${alarms} of ${edges} healthy twins raise an error\n`);
  return alarms === 0 ? 0 : 1;
});

function expect({ expectation }: Capture, { client, server }: HealthyEdge): Expectation {
  const isKnown = expectation.edges.some((edge) => edge.client === client && edge.server === server);
  return isKnown
    ? expectation
    : { ...expectation, edges: [...expectation.edges, { client, server, rule: 'must' }] };
}

/** Breaks an edge in every way and adds the results to the rates. @returns The breaks that are not found. */
function breakEdge(
  { spans }: Capture,
  edge: HealthyEdge,
  expectation: Expectation,
  rates: Map<string, Rate>,
): readonly string[] {
  const missed: string[] = [];
  for (const loss of losses) {
    for (const { name, step, fewest } of portions) {
      if (edge.calls.length < fewest) continue;
      const calls = edge.calls.filter((_, at) => Math.floor(at / step) > Math.floor((at - 1) / step));
      const broken = breakCalls(spans, calls, loss);
      const key = `${loss} lost, ${name}`;
      const rate = rates.get(key) ?? { breaks: 0, found: 0, expected: 0 };
      rates.set(key, rate);
      rate.breaks += 1;
      const [isFound, isExpected] = [isSeen(broken, edge), isSeen(broken, edge, expectation)];
      if (isFound) rate.found += 1;
      if (isExpected) rate.expected += 1;
      if (!isFound || !isExpected)
        missed.push(
          `${key} (${calls.length} of ${edge.calls.length}), ${isExpected ? 'found with expectation' : 'not found'}`,
        );
    }
  }
  return missed;
}

function isAlarm({ spans }: Capture, expectation?: Expectation): boolean {
  return listErrors(spans, expectation).length > 0;
}

/** Whether an error is reported on the edge. */
function isSeen(spans: Capture['spans'], edge: HealthyEdge, expectation?: Expectation): boolean {
  return listErrors(spans, expectation).some(
    ({ client, server }) => client === edge.client || server === edge.server,
  );
}

function listErrors(spans: Capture['spans'], expectation?: Expectation) {
  return checkTraces(spans, expectation === undefined ? {} : { expectation }).findings.filter(
    ({ severity }) => severity === 'error',
  );
}
