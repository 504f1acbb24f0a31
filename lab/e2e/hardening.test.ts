/** Privileges of the processes in the containers, read from the kernel, and the addresses that they can reach. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';
import { expectedReachability, measureReachability, readJson } from './reachability.ts';

const obstacle = await findObstacle();
const minute = 60_000;
const mebibyte = 2 ** 20;
const none = '0000000000000000';
/** Docker mounts these in memory, in every container, for shared memory and message queues. */
const inMemory = ['/dev/mqueue', '/dev/shm'];

/** `writable` lists every folder to which a container may write. */
const services = [
  { name: 'service-a', user: 1000, memory: 256, writable: [...inMemory, '/var/spool/spans'] },
  { name: 'service-b', user: 1000, memory: 256, writable: [...inMemory, '/var/spool/spans'] },
  { name: 'otel-collector', user: 10001, memory: 256, writable: [...inMemory, '/var/lib/otelcol/queue'] },
  // /tmp is a tmpfs, which replaces the volume that the image declares there.
  { name: 'jaeger', user: 10001, memory: 1024, writable: [...inMemory, '/tmp', '/var/lib/jaeger'] },
] as const;

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

describe('the locked stack', { skip: obstacle ?? false, timeout: 10 * minute }, () => {
  let stack: ComposeStack;

  before(
    async () => {
      stack = await createStack('auto');
      expectSuccess(await stack.compose(['--profile', 'assert', 'build']));
      expectSuccess(await stack.compose(['up', '--detach', '--wait', '--no-build']));
    },
    { timeout: 10 * minute },
  );
  after(() => stack.close(), { timeout: 2 * minute });

  for (const { name, user, memory, writable } of services) {
    it(`${name} has no privileges`, async () => {
      const ran = await stack.probe(name, {
        namespace: 'pid',
        script: 'read-privileges.ts',
        args: ['/proc/1'],
        user,
      });
      assert.deepEqual(readJson(ran), describePrivileges({ user, memory, writable: [...writable] }));
    });
  }

  it('assert has no privileges', async () => {
    const ran = await stack.probeNew('assert', 'read-privileges.ts');
    assert.deepEqual(readJson(ran), describePrivileges({ user: 1000, memory: 256, writable: inMemory }));
  });

  it('init, the only root, can do nothing but hand over the files on its volumes', async () => {
    const ran = await stack.probeNew('init', 'read-privileges.ts');
    // The capabilities CHOWN and DAC_OVERRIDE.
    const two = '0000000000000003';
    assert.deepEqual(readJson(ran), {
      ...describePrivileges({
        user: 0,
        memory: 256,
        writable: [
          '/dev',
          ...inMemory,
          ...['credentials', 'data'].flatMap((kind) =>
            ['jaeger', 'otel-collector', 'service-a', 'service-b'].map((name) => `/volumes/${kind}/${name}`),
          ),
        ],
      }),
      capabilities: { CapInh: none, CapPrm: two, CapEff: two, CapBnd: two, CapAmb: none },
    });
  });

  it('init has no network', async () => {
    const ran = await stack.probeNew('init', 'list-listeners.ts');
    assert.deepEqual(readJson(ran), { addresses: [], ports: [] });
  });

  it('lets connect whom it has to, and nobody else', async (t) => {
    const { table, byBridge } = await measureReachability(stack);
    t.diagnostic(`\n${table}`);
    t.diagnostic(
      `by the addresses of the containers, this machine reaches ${byBridge.join(', ') || 'nothing'}`,
    );
    assert.equal(table, expectedReachability);
  });

  it('keeps no more of its log than a bound, whatever callers make it say', async () => {
    for (const name of [...services.map((service) => service.name), 'init']) {
      const [{ HostConfig }] = inspectedSchema.parse(
        JSON.parse(expectSuccess(await stack.inspect(name)).stdout),
      );
      const bound = { 'max-file': '5', 'max-size': '20m' };
      assert.deepEqual(HostConfig.LogConfig, { Type: 'json-file', Config: bound }, name);
    }
  });

  it('leaves no anonymous volume behind', async () => {
    for (const { name } of [...services, { name: 'init' }]) {
      const [{ Mounts }] = inspectedSchema.parse(JSON.parse(expectSuccess(await stack.inspect(name)).stdout));
      const volumes = Mounts.flatMap((mount) => (mount.Type === 'volume' ? [mount.Name] : []));
      assert.ok(volumes.length > 0, name);
      // Docker names anonymous volumes with 64 hex digits.
      assert.deepEqual(
        volumes.filter((volume) => /^[0-9a-f]{64}$/.test(volume ?? '')),
        [],
        name,
      );
    }
  });

  it('shows the token in no description of a container', async () => {
    const token = expectSuccess(
      await stack.compose(['exec', '--no-TTY', 'service-a', 'cat', '/run/credentials/token']),
    ).stdout;
    assert.match(token, /^[\w-]{43}$/);
    for (const { name } of [...services, { name: 'init' }]) {
      assert.ok(!expectSuccess(await stack.inspect(name)).stdout.includes(token), name);
    }
  });
});

const inspectedSchema = z.tuple([
  z.object({
    HostConfig: z.object({
      LogConfig: z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) }),
    }),
    Mounts: z.array(z.object({ Type: z.string(), Name: z.string().optional() })),
  }),
]);

function describePrivileges(own: {
  readonly user: number;
  readonly memory: number;
  readonly writable: readonly string[];
}) {
  return {
    users: [String(own.user)],
    groups: [String(own.user)],
    capabilities: { CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none },
    noNewPrivileges: '1',
    // 2: SECCOMP_MODE_FILTER.
    seccomp: '2',
    memoryBytes: String(own.memory * mebibyte),
    processes: '64',
    writable: own.writable,
  };
}
