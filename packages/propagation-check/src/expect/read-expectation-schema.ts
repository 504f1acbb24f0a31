import * as z from 'zod';
import { expectationShape } from './read-expectation-shape.ts';

/** The JSON Schema (2020-12) of an expectations file, for editors. Published as `expectation.schema.json`. */
export function renderExpectationSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(expectationShape, { io: 'input' }), null, 2)}\n`;
}
