import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { findStackPlace } from '../find-stack-place.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the place of a stack', () => {
  it('has different ports, below the range of outgoing connections', async () => {
    const ports = await findFreePorts(200);
    assert.equal(new Set(ports).size, 200);
    assert.ok(ports.every((port) => port >= 20_000 && port < 30_000));
  });

  it('sets only variables of docker-compose.yml, and is not the default', async () => {
    const { serviceA, serviceB, jaeger, variables } = await findStackPlace();
    const compose = await readFile(join(root, 'docker-compose.yml'), 'utf8');
    for (const [name, value] of Object.entries(variables)) {
      assert.ok(compose.includes(`\${${name}:-`), name);
      assert.ok(!compose.includes(`\${${name}:-${value}}`), name);
    }
    assert.deepEqual(
      [serviceA, serviceB, jaeger].map(({ port }) => port),
      [variables.SERVICE_A_PORT, variables.SERVICE_B_PORT, variables.JAEGER_UI_PORT],
    );
    assert.match(variables.CALLS_NETWORK ?? '', /^10\.2(1[4-9]|2\d)\.\d{1,3}$/);
  });
});
