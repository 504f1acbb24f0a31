import { writeFileSync } from 'node:fs';
import { renderSchemas } from './render-schemas.ts';

for (const [file, schema] of Object.entries(renderSchemas()))
  writeFileSync(new URL(`../${file}`, import.meta.url), schema);
