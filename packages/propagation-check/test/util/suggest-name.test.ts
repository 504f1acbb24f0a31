import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestName } from '../../src/util/suggest-name.ts';

test('one slip of a short name, more of a long one', () => {
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
