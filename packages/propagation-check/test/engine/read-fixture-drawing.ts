import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckOptions, checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { type Drawing, readDrawing } from './read-drawing.ts';

export const drawingsFolder = join(import.meta.dirname, '../../fixtures');

/** @param name A drawing in `fixtures/`: `split-trace/broken.txt`. */
export function readFixtureText(name: string): string {
  return readFileSync(join(drawingsFolder, name), 'utf8');
}

export function readFixtureDrawing(name: string): Drawing {
  return readDrawing(readFixtureText(name));
}

export function checkFixtureDrawing(name: string): Result {
  return checkDrawing(readFixtureText(name));
}

/** The result of all that a drawing shows: spans, expectations and headers. */
export function checkDrawing(drawing: string, options: CheckOptions = {}): Result {
  const { spans, expectation, headers } = readDrawing(drawing);
  return checkTraces(spans, { expectation, headers, ...options });
}
