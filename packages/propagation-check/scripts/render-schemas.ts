import * as z from 'zod';
import { configurationShape } from '../src/config/configuration-shape.ts';
import { expectationShape } from '../src/expect/read-expectation-shape.ts';
import { auditShape, reportShape } from './report-shape.ts';

/** The published JSON Schemas (2020-12): of the files that people write, for editors, and of the JSON reports. */
export function renderSchemas(): Readonly<Record<string, string>> {
  return {
    'configuration.schema.json': render(configurationShape),
    'expectation.schema.json': render(expectationShape),
    'report.schema.json': render(reportShape, allowMore),
    'audit.schema.json': render(auditShape, allowMore),
  };
}

type Override = NonNullable<z.core.ToJSONSchemaParams['override']>;

function render(shape: z.ZodType, override: Override = () => undefined): string {
  return `${JSON.stringify(z.toJSONSchema(shape, { io: 'input', override }), null, 2)}\n`;
}

/** Later versions may add fields to a report. */
function allowMore({ jsonSchema }: Parameters<Override>[0]): void {
  delete jsonSchema.additionalProperties;
}
