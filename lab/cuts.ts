/** Cuts every healthy capture of the corpus between two exports, at either end, and counts the cuts that raise an error. */
import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { Command } from 'commander';
import { runScript } from 'demo';
import { checkTraces } from 'propagation-check';
import { openOutput } from 'propagation-check/kit';
import { type Capture, corpusFolders, readCorpus } from './read-corpus.ts';

/** So many places of a long capture, evenly spread. */
const mostPlaces = 40;

await runScript(async (signal) => {
  const folders = new Command('cuts')
    .description('Cut every healthy capture at either end, and count the cuts that raise an error.')
    .exitOverride()
    .argument('[folder...]', 'folders of captures (default: those of the project)')
    .addHelpText('after', '\nExit code: 0 no cut raises an error, 1 some do, 2 a capture cannot be read.')
    .parse().args;
  const output = openOutput();
  let [cuts, alarms] = [0, 0];
  for (const capture of (folders.length > 0 ? folders : corpusFolders).flatMap(readCorpus)) {
    if (capture.label.verdict !== 'healthy') continue;
    const results = cutCapture(capture).map(listErrors);
    const errors = results.filter((found) => found.length > 0);
    cuts += results.length;
    alarms += errors.length;
    const names = [...new Set(errors.flat())].sort();
    if (errors.length > 0)
      await output.print(`${capture.name}  ${errors.length} of ${results.length}: ${names.join(', ')}\n`);
    await untilNextTurn();
    signal.throwIfAborted();
  }
  await output.print(`${alarms} of ${cuts} cuts of healthy captures raise an error\n`);
  return alarms === 0 ? 0 : 1;
});

type Part = Pick<Capture, 'spans'>;

function cutCapture({ batches }: Capture): readonly Part[] {
  const step = Math.max(1, Math.floor(batches.length / mostPlaces));
  const places = batches.map((_, at) => at).filter((at) => at > 0 && at % step === 0);
  return places
    .flatMap((at) => [batches.slice(0, at), batches.slice(at)])
    .map((part) => ({ spans: part.flat() }));
}

function listErrors({ spans }: Part): readonly string[] {
  return checkTraces(spans)
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ id, client, server }) => `${id} ${client} -> ${server}`);
}
