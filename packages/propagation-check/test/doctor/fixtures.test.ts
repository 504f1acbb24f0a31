import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { doctorChecks } from '../../src/doctor/checks.ts';
import { examine } from '../../src/doctor/examine.ts';
import { readProject } from '../../src/doctor/read-project.ts';

const folder = join(import.meta.dirname, 'fixtures');

async function examineFixture(id: string, kind: 'broken' | 'healthy') {
  const { files, gaps } = await readProject(join(folder, id, kind));
  return examine(files, gaps);
}

test('each check has its fixture, and no fixture is left over', () => {
  assert.deepEqual(readdirSync(folder).sort(), doctorChecks.map(({ id }) => id).sort());
});

for (const { id, severity } of doctorChecks) {
  test(`${id}: the broken project shows it and nothing else`, async () => {
    const { findings, gaps, verdict } = await examineFixture(id, 'broken');
    assert.deepEqual(
      findings.map((finding) => [finding.id, finding.severity]),
      [[id, severity]],
    );
    assert.deepEqual(gaps, []);
    assert.equal(verdict, severity === 'error' ? 'broken' : 'clean');
  });

  test(`${id}: its healthy twin shows nothing`, async () => {
    const { findings, gaps, verdict } = await examineFixture(id, 'healthy');
    assert.deepEqual(findings, []);
    assert.deepEqual(gaps, []);
    assert.equal(verdict, 'clean');
  });
}
