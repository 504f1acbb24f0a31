import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderSchemas } from '../scripts/render-schemas.ts';

for (const [file, schema] of Object.entries(renderSchemas()))
  test(`${file} is what npm run schema -w propagation-check writes`, () => {
    const published = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    assert.deepEqual(JSON.parse(published), JSON.parse(schema));
  });
