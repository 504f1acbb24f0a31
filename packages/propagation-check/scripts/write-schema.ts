/** Writes `expectation.schema.json` from the shape that the expectations file is checked with. */
import { writeFileSync } from 'node:fs';
import { renderExpectationSchema } from '../src/expect/read-expectation-schema.ts';

writeFileSync(new URL('../expectation.schema.json', import.meta.url), renderExpectationSchema());
