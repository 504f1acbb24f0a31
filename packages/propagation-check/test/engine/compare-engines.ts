/**
 * Compares the results of this engine with those of another checkout, on simulated systems:
 * `npm run compare -- ../before 10000 [FIRST SEED]`.
 */
import { resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { z } from 'zod';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { simulateSystem } from './simulate-system.ts';

/** So many differences are printed. */
const maxShown = 10;

const engine = z.object({
  checkTraces: z.custom<typeof checkTraces>((value) => typeof value === 'function'),
});

const { positionals } = parseArgs({ allowPositionals: true });
const [checkout, systems = '10000', firstSeed = '1'] = positionals;
if (checkout === undefined) throw new Error('compare: name the other checkout');
const path = 'packages/propagation-check/src/verdict/check-traces.ts';
const other = engine.parse(await import(resolve(checkout, path)));

const findings = new Map<string, number>();
let spans = 0;
let different = 0;
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(systems); seed += 1) {
  const { spans: received, ...options } = simulateSystem(seed);
  const [before, after] = [other.checkTraces(received, options), checkTraces(received, options)];
  spans += received.length;
  for (const { id, confidence } of after.findings) {
    const kind = `${id} ${confidence}`;
    findings.set(kind, (findings.get(kind) ?? 0) + 1);
  }
  if (isDeepStrictEqual(before, after)) continue;
  different += 1;
  if (different <= maxShown)
    console.log(`seed ${seed}\n- ${JSON.stringify(before)}\n+ ${JSON.stringify(after)}`);
}
console.log(
  [...findings]
    .map(([kind, count]) => `${count} ${kind}`)
    .sort()
    .join('\n'),
);
console.log(`${systems} systems, ${spans} spans, ${different} different results`);
process.exitCode = different === 0 ? 0 : 1;
