/**
 * Compares the findings of this engine with those of another checkout on simulated systems: `npm run compare -- ../before 10000 [FIRST
 * SEED]`. Counts each kind of difference and names the first systems that show it.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Finding } from '../../src/verdict/result.ts';
import { simulateSystem } from './simulate-system.ts';

/** The number of seeds named for each kind of difference. */
const maxNamed = 3;

const engine = z.object({
  checkTraces: z.custom<typeof checkTraces>((value) => typeof value === 'function'),
});

const { positionals } = parseArgs({ allowPositionals: true });
const [checkout, systems = '10000', firstSeed = '1'] = positionals;
if (checkout === undefined) throw new Error('compare: name the other checkout');
const path = 'packages/propagation-check/src/verdict/check-traces.ts';
const other = engine.parse(await import(resolve(checkout, path)));

const differences = new Map<string, number[]>();
const verdicts = new Map<string, number>();
let spans = 0;
let different = 0;
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(systems); seed += 1) {
  const { spans: received, ...options } = simulateSystem(seed);
  const [before, after] = [other.checkTraces(received, options), checkTraces(received, options)];
  spans += received.length;
  const verdict = `${before.verdict} -> ${after.verdict}`;
  verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  const kinds = new Set(listDifferences(before.findings, after.findings));
  if (kinds.size > 0) different += 1;
  for (const kind of kinds) differences.set(kind, [...(differences.get(kind) ?? []), seed]);
}
for (const [kind, seeds] of [...differences].sort(([, one], [, other]) => other.length - one.length)) {
  console.log(`${seeds.length} ${kind} (seeds ${seeds.slice(0, maxNamed).join(', ')})`);
}
for (const [verdict, count] of [...verdicts].sort()) console.log(`verdict ${verdict}: ${count}`);
console.log(`${systems} systems, ${spans} spans, ${different} with other findings`);
process.exitCode = different === 0 ? 0 : 1;

/** By edge, what only one engine found: `missing-client error undecided -> missing-client warning undecided`. */
function listDifferences(before: readonly Finding[], after: readonly Finding[]): readonly string[] {
  const edges = new Set([...before, ...after].map(nameEdge));
  return [...edges].flatMap((edge) => {
    const [were, are] = [nameFindings(before, edge), nameFindings(after, edge)];
    const [gone, come] = [were.difference(are), are.difference(were)];
    return gone.size + come.size === 0 ? [] : [`${join(gone)} -> ${join(come)}`];
  });
}

function nameEdge({ client, server }: Finding): string {
  return `${client} ${server}`;
}

/** Leaves out the number of calls, which would split each kind of difference. */
function nameFindings(findings: readonly Finding[], edge: string): ReadonlySet<string> {
  const found = findings.filter((finding) => nameEdge(finding) === edge);
  return new Set(found.map(({ id, severity, confidence }) => `${id} ${severity} ${confidence}`));
}

function join(names: ReadonlySet<string>): string {
  return [...names].sort().join(' + ') || 'nothing';
}
