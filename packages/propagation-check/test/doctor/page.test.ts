import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderDoctorPage } from '../../scripts/doctor-page.ts';
import { doctorChecks } from '../../src/doctor/checks.ts';

const docs = new URL('../../../../docs/', import.meta.url);

test('the page is generated from the checks (npm run docs -w propagation-check writes it)', () => {
  assert.equal(readFileSync(new URL('doctor.md', docs), 'utf8'), renderDoctorPage());
});

test('each check says what it finds, why and what to change, in whole sentences', () => {
  for (const { id, title, why, fix, leadsTo } of doctorChecks) {
    assert.match(title, /^(?:[A-Z]|nginx).*[^.]$/, id);
    for (const text of [why, fix]) assert.match(text, /^[A-Z`n].*[.)]$/, id);
    assert.ok(leadsTo.length > 0, id);
    for (const finding of leadsTo) assert.ok(existsSync(new URL(`findings/${finding}.md`, docs)), finding);
  }
});
