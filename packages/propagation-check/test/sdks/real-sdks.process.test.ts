/** Exporters of real SDKs send to the receiver. A language whose tools are missing is skipped with the reason. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { findMissing } from './find-missing.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

interface Sdk {
  /** `telemetry.sdk.language` */
  readonly language: string;
  /** Programs that must be on the PATH. */
  readonly tools: readonly string[];
  /** The package that `.ci/install-engine` would have to install; null if CI has the tools. */
  readonly toRunInCi: string | null;
  /** The protocols that it supports; null stands for its default. */
  readonly protocols: readonly (string | null)[];
  /** Prepares a copy of its folder. @returns The command that emits one span. */
  prepare(folder: string): Promise<readonly [string, ...string[]]>;
}

const sdks: readonly Sdk[] = [
  {
    language: 'nodejs',
    tools: [],
    toRunInCi: null,
    protocols: ['grpc', 'http/protobuf', 'http/json'],
    // Runs in this folder, where its packages are installed.
    prepare: async () => [process.execPath, join(here, 'node/emit.ts')],
  },
  {
    language: 'go',
    tools: ['go'],
    toRunInCi: null,
    protocols: ['grpc', 'http/protobuf'],
    prepare: async (folder) => {
      await run('go', ['build', '-o', 'emit', '.'], { cwd: folder });
      return [join(folder, 'emit')];
    },
  },
  {
    language: 'python',
    tools: ['python3'],
    toRunInCi: 'python3-venv',
    protocols: [null, 'grpc', 'http/protobuf'],
    prepare: async (folder) => {
      const python = join(folder, 'venv/bin/python');
      await run('python3', ['-m', 'venv', 'venv'], { cwd: folder });
      await run(python, ['-m', 'pip', 'install', '--quiet', '-r', 'requirements.txt'], { cwd: folder });
      return [python, join(folder, 'emit.py')];
    },
  },
  {
    language: 'java',
    tools: ['java', 'mvn'],
    toRunInCi: 'default-jdk-headless and maven',
    protocols: ['grpc', 'http/protobuf'],
    prepare: async (folder) => {
      const args = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'];
      await run('mvn', args, { cwd: folder });
      return ['java', '-cp', join(folder, 'lib/*'), join(folder, 'Emit.java')];
    },
  },
];

for (const sdk of sdks) {
  const missing = await findMissing(sdk.tools);
  const isRequired = process.env.CI === 'true' && sdk.toRunInCi === null;
  const skip =
    missing.length > 0 && !isRequired
      ? `${missing.join(' and ')} is not installed; in CI, .ci/install-engine would need ${sdk.toRunInCi}`
      : false;

  describe(`the SDK of ${sdk.language}`, { skip }, () => {
    let folder = '';
    let command: readonly [string, ...string[]] = [''];
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sdk-'));
      const source = sdk.language === 'nodejs' ? 'node' : sdk.language;
      await cp(join(here, source), folder, { recursive: true });
      command = await sdk.prepare(folder);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    for (const protocol of sdk.protocols) {
      for (const compression of [null, 'gzip']) {
        const name = `${protocol ?? 'its default protocol'}${compression === null ? '' : `, ${compression}`}`;
        test(name, (t) => emit(t, sdk.language, command, { protocol, compression }));
      }
    }
  });
}

/** Asserts that the SDK exports one span to the receiver. */
async function emit(
  t: TestContext,
  language: string,
  [file, ...args]: readonly [string, ...string[]],
  { protocol, compression }: { readonly protocol: string | null; readonly compression: string | null },
): Promise<void> {
  const receiver = await startOtlpReceiver({ port: 0 });
  t.after(() => receiver.close());
  const env = {
    ...process.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    ...(protocol === null ? {} : { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }),
    ...(compression === null ? {} : { OTEL_EXPORTER_OTLP_COMPRESSION: compression }),
    // For Java, which otherwise exports these on exit to a receiver that nobody reads.
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  };
  const { stdout, stderr } = await run(file, args, { env });
  const [span, ...more] = receiver.readAll();
  assert.ok(span, `nothing arrived: ${stdout}${stderr}`);
  assert.deepEqual(more, []);
  assert.deepEqual([span.name, span.resource.get('telemetry.sdk.language')], ['emitted', language]);
  assert.deepEqual(receiver.complaints, []);
}
