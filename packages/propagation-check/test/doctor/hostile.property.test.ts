import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { examine } from '../../src/doctor/examine.ts';
import { cases } from '../cases.ts';

const paths = [
  ...[
    'package.json',
    'package-lock.json',
    'pnpm-lock.yaml',
    'yarn.lock',
    'Dockerfile',
    'compose.yaml',
    'app.env',
  ],
  ...[
    'nginx.conf',
    'haproxy.cfg',
    'Caddyfile',
    'go.mod',
    'main.go',
    'requirements.txt',
    'app.py',
    'index.js',
    'pom.xml',
  ],
];

const pieces = [
  ...[
    'services:',
    'a:',
    '  - ',
    '&x',
    '*x',
    '<<: *x',
    '{',
    '}',
    '[',
    ']',
    ';',
    '"',
    "'",
    '`',
    '/*',
    '*/',
    '//',
    '#',
    '\\n',
    '\n',
    '\\',
    ' ',
  ],
  ...[
    'OTEL_PROPAGATORS',
    '=',
    'none',
    `\${A:-b}`,
    'ENV ',
    'FROM ',
    'CMD [',
    'import ',
    'require(',
    'from ',
    'node_modules/@opentelemetry/api',
  ],
  ...[
    '"packages":',
    'version',
    'otel_trace on',
    'proxy_set_header',
    'kind: Deployment',
    'env:',
    'name:',
    'package main',
    '\u0000',
    '\ud800',
  ],
];

const text = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 40 })
  .map((parts) => parts.join(''));

test('any text in any file gives a diagnosis, and the same one again', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ path: fc.constantFrom(...paths), text }), { maxLength: 6 }), (files) => {
      const diagnosis = examine(files);
      assert.ok(['clean', 'broken', 'unknown'].includes(diagnosis.verdict));
      for (const { line, column } of diagnosis.findings) assert.ok(line >= 1 && column >= 1);
      assert.deepEqual(examine(files), diagnosis);
    }),
    { seed: 12, numRuns: cases(300) },
  );
});

test('the time for long lines and deep nesting is proportional to their length', () => {
  const long = 100_000;
  const files = [
    { path: 'index.js', text: 'import '.repeat(long) },
    { path: 'app.js', text: `import {${' a,'.repeat(long)}` },
    {
      path: 'compose.yaml',
      text: `services: {a: {image: b, environment: {OTEL_PROPAGATORS: ${'x,'.repeat(long)}}}}`,
    },
    { path: 'deep.yaml', text: '['.repeat(long) },
    { path: 'nginx.conf', text: 'a {'.repeat(long) },
    { path: 'go.mod', text: 'module a\n' },
    { path: 'main.go', text: `package main\n${'http.'.repeat(long)}` },
    { path: 'requirements.txt', text: 'a'.repeat(long) },
  ];
  assert.equal(examine(files).verdict, 'clean');
});
