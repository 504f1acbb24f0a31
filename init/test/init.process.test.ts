import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

const program = join(import.meta.dirname, '..', 'src', 'init.ts');
const { NODE_COMPILE_CACHE } = process.env;
const holders = ['service-a', 'service-b', 'otel-collector', 'jaeger'] as const;
/** Only root can change the owner of a file. */
const skip = process.getuid?.() === 0 ? false : 'needs root, as in its container';

describe('the token', { skip }, () => {
  it('is made once, the same for all who need it, and each can read only their own', async (t) => {
    const stack = await makeVolumes(t);
    assert.match((await stack.init()).stdout, /^init: token made, no TLS\n$/);
    assert.match((await stack.init()).stdout, /^init: token kept, no TLS\n$/);
    const tokens = await Promise.all(
      ['service-a', 'service-b', 'otel-collector'].map((name) => stack.read(name, 'token')),
    );
    assert.match(tokens[0] ?? '', /^[\w-]{43}$/);
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(await readdir(join(stack.volumes, 'credentials', 'jaeger')), []);
    for (const [name, uid] of [
      ['service-a', 1000],
      ['service-b', 1000],
      ['otel-collector', 10001],
    ] as const) {
      const { mode, uid: owner } = await stat(join(stack.volumes, 'credentials', name, 'token'));
      assert.deepEqual([mode & 0o777, owner], [0o400, uid], name);
      assert.equal((await stat(join(stack.volumes, 'data', name))).uid, uid, name);
    }
  });

  it('differs from stack to stack', async (t) => {
    const [one, other] = [await makeVolumes(t), await makeVolumes(t)];
    await one.init();
    await other.init();
    assert.notEqual(await one.read('service-a', 'token'), await other.read('service-a', 'token'));
  });

  it('is the user’s token if there is one, and is kept', async (t) => {
    const stack = await makeVolumes(t);
    await stack.init();
    const file = join(stack.volumes, 'mine');
    await writeFile(file, 'abcdefghij.0123456789==\n');
    const { stdout } = await stack.init({ OTLP_TOKEN_FILE: file });
    assert.equal(stdout, 'init: token taken from OTLP_TOKEN_FILE, no TLS\n');
    await stack.init();
    for (const name of ['service-a', 'service-b', 'otel-collector'])
      assert.equal(await stack.read(name, 'token'), 'abcdefghij.0123456789==');
  });

  it('is corrected on a volume that has another token', async (t) => {
    const stack = await makeVolumes(t);
    await stack.init();
    const path = join(stack.volumes, 'credentials', 'service-a', 'token');
    await rm(path);
    await writeFile(path, 'another');
    await stack.init();
    assert.equal(await stack.read('service-a', 'token'), await stack.read('otel-collector', 'token'));
  });

  for (const [what, damaged] of [
    ['empty', ''],
    ['cut off', 'abc'],
    ['of zeros, as after a power cut', '\0'.repeat(43)],
  ] as const) {
    it(`is replaced when the present token is ${what}`, async (t) => {
      const stack = await makeVolumes(t);
      await writeFile(join(stack.volumes, 'credentials', 'otel-collector', 'token'), damaged);
      assert.match((await stack.init()).stdout, /^init: token made,/);
      assert.match(await stack.read('service-b', 'token'), /^[\w-]{43}$/);
      assert.equal(await stack.read('service-b', 'token'), await stack.read('otel-collector', 'token'));
    });
  }

  it('is refused in one line when its file is a folder', async (t) => {
    const stack = await makeVolumes(t);
    const { code, stderr } = await stack.init({ OTLP_TOKEN_FILE: stack.volumes });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^init: OTLP_TOKEN_FILE cannot be read \(EISDIR.*\); name a file that holds a token\n$/,
    );
  });

  for (const [what, token, said] of [
    ['too short', 'secret', /^init: the token in OTLP_TOKEN_FILE has 6 characters; .* has 16 or more\n$/],
    [
      'two lines',
      'abcdefghijklmnop\nabcdefghijklmnop',
      /^init: the token in OTLP_TOKEN_FILE is no bearer token; /,
    ],
  ] as const) {
    it(`is refused when it is ${what}, and not repeated`, async (t) => {
      const stack = await makeVolumes(t);
      const file = join(stack.volumes, 'mine');
      await writeFile(file, token);
      const { code, stderr } = await stack.init({ OTLP_TOKEN_FILE: file });
      assert.equal(code, 2);
      assert.match(stderr, said);
      assert.ok(!stderr.includes('abcdefgh') && !stderr.includes('secret'));
    });
  }
});

describe('certificates', { skip }, () => {
  it('are of one authority, for the right names and uses, and nobody has the authority’s key', async (t) => {
    const stack = await makeVolumes(t);
    assert.match((await stack.init({ TLS: 'on' })).stdout, /certificates made, good until \d{4}-/);
    const authority = new X509Certificate(await stack.read('jaeger', 'authority.pem'));
    assert.equal(authority.ca, true);
    const serverAuth = '1.3.6.1.5.5.7.3.1';
    const clientAuth = '1.3.6.1.5.5.7.3.2';
    for (const [name, usages] of [
      ['service-a', [clientAuth]],
      ['service-b', [serverAuth, clientAuth]],
      ['otel-collector', [serverAuth, clientAuth]],
      ['jaeger', [serverAuth]],
    ] as const) {
      const certificate = new X509Certificate(await stack.read(name, 'certificate.pem'));
      const key = createPrivateKey(await stack.read(name, 'key.pem'));
      assert.equal(await stack.read(name, 'authority.pem'), await stack.read('jaeger', 'authority.pem'));
      assert.ok(certificate.verify(authority.publicKey), name);
      assert.ok(certificate.checkPrivateKey(key), name);
      assert.ok(!authority.checkPrivateKey(key), name);
      assert.equal(certificate.checkHost(name), name);
      assert.equal(certificate.checkHost('elsewhere'), undefined);
      assert.deepEqual(certificate.keyUsage, usages);
      const hours = (certificate.validToDate.getTime() - Date.now()) / 3_600_000;
      assert.ok(hours > 23 && hours <= 24, `${hours} h`);
    }
  });

  it('are kept while they are valid, and all are renewed when one is not', async (t) => {
    const stack = await makeVolumes(t);
    await stack.init({ TLS: 'on' });
    const first = await stack.read('service-a', 'certificate.pem');
    assert.match((await stack.init({ TLS: 'on' })).stdout, /certificates kept/);
    assert.equal(await stack.read('service-a', 'certificate.pem'), first);
    await rm(join(stack.volumes, 'credentials', 'jaeger', 'key.pem'));
    assert.match((await stack.init({ TLS: 'on' })).stdout, /certificates made/);
    assert.notEqual(await stack.read('service-a', 'certificate.pem'), first);
  });

  it('are renewed when less than a tenth of their lifetime is left', async (t) => {
    const stack = await makeVolumes(t);
    await stack.init({ TLS: 'on', CERTIFICATE_LIFETIME_SECONDS: '3600' });
    assert.match((await stack.init({ TLS: 'on' })).stdout, /certificates made/);
  });

  it('are renewed when they are not valid yet, after a clock was set back', async (t) => {
    const stack = await makeVolumes(t);
    const ahead = 'data:text/javascript,const{now}=Date;Date.now=()=>now()+7200000';
    await stack.init({ TLS: 'on', NODE_OPTIONS: `--import=${ahead}` });
    assert.match((await stack.init({ TLS: 'on' })).stdout, /certificates made/);
    assert.match((await stack.init({ TLS: 'on' })).stdout, /certificates kept/);
  });

  it('are removed without TLS, with the drafts of a killed start', async (t) => {
    const stack = await makeVolumes(t);
    await stack.init({ TLS: 'on' });
    await writeFile(join(stack.volumes, 'credentials', 'service-b', 'key.pem.new'), 'a key');
    await stack.init();
    assert.deepEqual(await readdir(join(stack.volumes, 'credentials', 'service-b')), ['token']);
  });
});

it('a start that was killed at any point is completed by the next start', { skip }, async (t) => {
  const files = ['authority.pem', 'certificate.pem', 'key.pem', 'token'];
  /** Jaeger needs no token. */
  const all = files.length * holders.length - 1;
  const reached = new Set<number>();
  for (let point = 1; point <= all; point += 2) {
    const stack = await makeVolumes(t);
    const list = async () =>
      (await Promise.all(holders.map((name) => readdir(join(stack.volumes, 'credentials', name))))).flat();
    const killed = spawnInit({ VOLUMES: stack.volumes, OTLP_TOKEN_FILE: '/dev/null', TLS: 'on' });
    const ended = once(killed, 'exit');
    while ((await list()).length < point && killed.exitCode === null);
    killed.kill('SIGKILL');
    await ended;
    reached.add((await list()).length);
    const { code } = await stack.init({ TLS: 'on' });
    assert.equal(code, 0);
    const tokens = ['service-a', 'service-b', 'otel-collector'].map((name) => stack.read(name, 'token'));
    assert.equal(new Set(await Promise.all(tokens)).size, 1);
    for (const name of holders) {
      const certificate = new X509Certificate(await stack.read(name, 'certificate.pem'));
      const authority = new X509Certificate(await stack.read('jaeger', 'authority.pem'));
      assert.ok(certificate.verify(authority.publicKey), name);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(await stack.read(name, 'key.pem'))), name);
    }
    assert.deepEqual((await list()).toSorted(), [...holders.flatMap(() => files)].toSorted().slice(0, all));
    assert.match((await stack.init({ TLS: 'on' })).stdout, /token kept, certificates kept/);
  }
  t.diagnostic(`killed with ${[...reached].toSorted((a, b) => a - b).join(', ')} of ${all} files`);
  assert.ok([...reached].some((count) => count > 0 && count < all));
});

it('changes the owner of the volume of a container that needs no credentials', { skip }, async (t) => {
  const stack = await makeVolumes(t);
  const sink = join(stack.volumes, 'data', 'sink');
  await mkdir(sink);
  await stack.init();
  assert.equal((await stat(sink)).uid, 1000);
});

it('prints in one line why it cannot write', { skip }, async (t) => {
  const stack = await makeVolumes(t);
  await rm(join(stack.volumes, 'data', 'jaeger'), { recursive: true });
  const { code, stderr } = await stack.init();
  assert.equal(code, 1);
  assert.match(stderr, /^init: ENOENT: .*data\/jaeger'\n$/);
});

for (const [name, value, allowed] of [
  ['TLS', 'off', 'on, or unset for no TLS'],
  ['CERTIFICATE_LIFETIME_SECONDS', '0', 'an integer from 1 to 7776000'],
  ['CERTIFICATE_LIFETIME_SECONDS', '1e9', 'an integer from 1 to 7776000'],
] as const) {
  it(`refuses ${name}=${value}`, async (t) => {
    const stack = await makeVolumes(t);
    const { code, stderr } = await stack.init({ TLS: 'on', [name]: value });
    assert.equal(code, 2);
    assert.equal(stderr, `init: ${name}=${JSON.stringify(value)} is not valid; allowed: ${allowed}\n`);
  });
}

async function makeVolumes(t: TestContext) {
  const volumes = await mkdtemp(join(tmpdir(), 'init-'));
  t.after(() => rm(volumes, { recursive: true }));
  for (const name of holders) {
    await mkdir(join(volumes, 'credentials', name), { recursive: true });
    await mkdir(join(volumes, 'data', name), { recursive: true });
  }
  return {
    volumes,
    init: (env: NodeJS.ProcessEnv = {}) =>
      runInit({ VOLUMES: volumes, OTLP_TOKEN_FILE: '/dev/null', ...env }),
    read: (name: string, file: string) => readFile(join(volumes, 'credentials', name, file), 'utf8'),
  };
}

function runInit(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program],
      { env: { NODE_COMPILE_CACHE, ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

function spawnInit(env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [program], { env: { NODE_COMPILE_CACHE, ...env }, stdio: 'ignore' });
}
