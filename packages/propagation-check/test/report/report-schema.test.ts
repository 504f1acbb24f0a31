import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportShape } from '../../scripts/report-shape.ts';
import { type ReportDetails, renderJson } from '../../src/report/json.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';

const folder = join(import.meta.dirname, '../../fixtures');
const details: ReportDetails = {
  ...{ source: 'a file', reason: null, notes: ['one'] },
  collector: { name: 'c', accepted: 1, refused: 1, sent: 1, sendFailed: 1, enqueueFailed: 1 },
  requests: { sent: 1, failed: 0, failures: [] },
  search: { service: 'web', limit: 1, limitReached: false },
  command: { name: 'npm', exitCode: 0 },
};

test('the result of each drawing matches the schema, without further fields', () => {
  for (const file of globSync('*/*.txt', { cwd: folder })) {
    const result = checkDrawing(readFileSync(join(folder, file), 'utf8'), { explain: true });
    const { error } = reportShape.safeParse(JSON.parse(renderJson(result, details)));
    assert.equal(error, undefined, file);
  }
});
