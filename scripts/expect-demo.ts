import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Expectation, readExpectation } from 'propagation-check';
import type { Mode } from './assertion/statements.ts';

/** The file for `propagation-check --expectations`: A calls B, B's answers name its SERVER span, and in manual mode baggage arrives. */
export function locateExpectation(mode: Mode): string {
  return join(import.meta.dirname, 'expectations', `${mode}.yaml`);
}

export function expectDemo(mode: Mode): Expectation {
  return readExpectation(readFileSync(locateExpectation(mode), 'utf8'));
}
