import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { simulateWork, type WorkFault } from './simulate-work.ts';

const healthySystems = 300;
const faultySystems = 100;

/**
 * For each fault, in how many systems an error names an edge that has it, and in how many an error names another edge. More of the
 * first is better, and so is less of the second.
 */
const ledger: readonly (readonly [WorkFault, found: number, also: number])[] = [
  ['split-caller', 40, 0],
  ['split-callee', 51, 0],
  ['detached-caller', 13, 0],
  ['stale-caller', 10, 0],
  ['client-lost-caller', 36, 0],
  ['server-lost-callee', 47, 0],
  ['rewritten-callee', 49, 0],
];

function listErrors(seed: number, fault?: WorkFault) {
  const { spans, broken } = simulateWork(seed, fault);
  const errors = checkTraces(spans)
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ id, client, server }) => ({ id, edge: `${client} -> ${server}` }));
  return { broken, errors };
}

suite('services that work at the same time', () => {
  test('raise no error if nothing is lost', () => {
    for (let seed = 1; seed <= healthySystems; seed += 1)
      assert.deepEqual(listErrors(seed).errors, [], `seed ${seed}`);
  });

  for (const [fault, found, also] of ledger)
    test(`${fault}: the error names the edge`, () => {
      const systems = Array.from({ length: faultySystems }, (_, at) => listErrors(at + 1, fault)).filter(
        ({ broken }) => broken.size > 0,
      );
      const isRight = (broken: ReadonlyMap<string, number>, edge: string): boolean => broken.has(edge);
      assert.deepEqual(
        [
          systems.filter(({ broken, errors }) => errors.some(({ edge }) => isRight(broken, edge))).length,
          systems.filter(({ broken, errors }) => errors.some(({ edge }) => !isRight(broken, edge))).length,
        ],
        [found, also],
        `of ${systems.length} systems`,
      );
    });
});
