import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestInstead, suggestName } from '../../src/util/suggest-name.ts';

test('a short name is suggested after one typo, a long name after more', () => {
  const known = ['web', 'orders', 'payment-service'];
  const rows = [
    ['wbe', 'web'],
    ['ewb', 'web'],
    ['Wbe', 'web'],
    ['weeb', 'web'],
    ['bew', null],
    ['odrers', 'orders'],
    ['payments-servce', 'payment-service'],
    ['stock', null],
    ['', null],
    ['payment', 'payment-service'],
    ['payment-svc', 'payment-service'],
    ['service.Payment', 'payment-service'],
    ['orders-service', 'orders'],
    ['service', null],
    ['payment-api', null],
  ] as const;
  for (const [name, meant] of rows) assert.equal(suggestName(name, known), meant, name);
});

test('suggests names with a part that begins with the given name, and names that are a part of it', () => {
  const known = [
    'payment-service',
    'shop.Frontend',
    'cart-db',
    'cart-api',
    'cart-web',
    'repay',
    'x-1',
    'x-2',
  ];
  const rows = [
    ['pay', 'payment-service'],
    ['PAY', 'payment-service'],
    ['frontend', 'shop.Frontend'],
    ['payment-service-prod', 'payment-service'],
    ['cart', 'cart-api or cart-db or cart-web'],
    ['x', null],
    ['stock', null],
  ] as const;
  for (const [name, meant] of rows)
    assert.equal(
      suggestInstead(name, known),
      meant === null ? null : `did you mean ${meant} instead of ${name}?`,
      name,
    );
  assert.equal(suggestInstead('cart', [...known, 'cart-worker']), null, 'too many fit');
});
