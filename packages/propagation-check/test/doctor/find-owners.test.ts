import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findOwners } from '../../src/doctor/find-owners.ts';

const manifest = (name: string, ...dependencies: readonly string[]) =>
  JSON.stringify({ name, dependencies: Object.fromEntries(dependencies.map((each) => [each, '*'])) });

const files = [
  { path: 'package.json', text: manifest('shop') },
  { path: 'services/web/package.json', text: manifest('@shop/frontend', '@shop/client') },
  { path: 'services/orders/go.mod', text: 'module orders' },
  { path: 'services/stock/Dockerfile', text: 'FROM node' },
  { path: 'services/pay/package.json', text: manifest('pay') },
  { path: 'services/pay/.env', text: 'OTEL_SERVICE_NAME=Payments' },
  { path: 'packages/telemetry/package.json', text: manifest('@shop/telemetry') },
  { path: 'packages/client/package.json', text: manifest('@shop/client', '@shop/telemetry') },
  {
    path: 'compose.yaml',
    text: 'services:\n  inventory:\n    build: services/stock\n    environment:\n      OTEL_SERVICE_NAME: warehouse\n',
  },
];

suite('the services of a file', () => {
  const { of, names } = findOwners(files);

  for (const [path, expected] of [
    ['services/web/src/app.ts', ['web', '@shop/frontend', 'frontend']],
    ['services/orders/main.go', ['orders']],
    ['services/stock/app.js', ['stock', 'warehouse']],
    ['services/pay/package.json', ['pay', 'payments']],
    ['compose.yaml', []],
  ] as const)
    test(`are named by folder, package and settings: ${path}`, () => {
      assert.deepEqual(of(path), expected);
      for (const name of expected) assert.ok(names.has(name), name);
    });

  test('are also those whose package depends on it', () => {
    const owners = of('packages/telemetry/src/start.ts');
    assert.ok(owners.includes('web') && owners.includes('telemetry'), owners.join());
    assert.ok(!owners.includes('pay') && !owners.includes('orders'), owners.join());
  });

  test('are those of the root where the project is one folder', () => {
    const [first] = files;
    assert.deepEqual(findOwners(first === undefined ? [] : [first]).of('src/app.ts'), ['shop']);
  });
});
