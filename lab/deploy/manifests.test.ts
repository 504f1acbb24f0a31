import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { obstacle, overlays, render, runTool } from './tools.ts';

if (obstacle !== null && process.env.CI === 'true')
  it('the tools for Kubernetes are here', () => assert.fail(obstacle ?? ''));

const manifest = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
type Manifest = z.infer<typeof manifest>;

describe('the manifests of each overlay', { skip: obstacle ?? false }, () => {
  let folder: string;
  let healthy: string;
  const rendered = new Map<string, readonly Manifest[]>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'manifests-'));
    healthy = join(folder, 'healthy');
    await mkdir(healthy);
    for (const overlay of overlays) {
      const text = await render(overlay);
      await writeFile(join(healthy, `${overlay}.yaml`), text);
      rendered.set(
        overlay,
        parseAllDocuments(text).map((document) => manifest.parse(document.toJS())),
      );
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** A deep copy of a manifest, changed at one place. */
  function change(
    overlay: string,
    kind: string,
    name: string,
    path: readonly (string | number)[],
    value: unknown,
  ) {
    const found = rendered.get(overlay)?.find((one) => one.kind === kind && one.metadata.name === name);
    assert.ok(found, `${overlay} has no ${kind} ${name}`);
    const [document] = parseAllDocuments(stringify(found));
    assert.ok(document);
    if (value === undefined) assert.ok(document.deleteIn(path), `nothing at ${path.join('.')}`);
    else document.setIn(path, value);
    return document;
  }

  it('are valid for the schemas of Kubernetes and the operator', async () => {
    const files = overlays.map((overlay) => join(healthy, `${overlay}.yaml`));
    const { code, stderr } = await validate(files);
    assert.equal(code, 0, stderr);
  });

  const pod = ['spec', 'template', 'spec'];
  const container = [...pod, 'containers', 0];
  const misshapen: readonly [string, Parameters<typeof change>, RegExp][] = [
    [
      'a misspelt field',
      ['kind', 'Deployment', 'service-a', [...container, 'securityContext', 'readOnlyRootFilesytem'], true],
      /readOnlyRootFilesytem/,
    ],
    [
      'a field of the wrong type',
      ['kind', 'Service', 'service-a', ['spec', 'ports', 0, 'port'], 'http'],
      /spec\.ports\[0\]\.port/,
    ],
    ['a missing field', ['kind', 'StatefulSet', 'sink', ['spec', 'selector'], undefined], /spec\.selector/],
    [
      'an unknown version',
      ['kind', 'NetworkPolicy', 'default-deny', ['apiVersion'], 'networking.k8s.io/v9'],
      /networking\.k8s\.io\/v9/,
    ],
    [
      'an unknown mode',
      ['operator', 'OpenTelemetryCollector', 'gateway', ['spec', 'mode'], 'replicaset'],
      /spec\.mode/,
    ],
    [
      'an unknown field of the operator',
      ['operator', 'OpenTelemetryCollector', 'agent', ['spec', 'configs'], {}],
      /configs/,
    ],
    [
      'an unknown propagator',
      ['operator', 'Instrumentation', 'default', ['spec', 'propagators', 0], 'w3c'],
      /spec\.propagators\[0\]/,
    ],
  ];
  for (const [name, args, message] of misshapen) {
    it(`are refused with ${name}`, async () => {
      const file = join(folder, 'misshapen', `${name.replaceAll(' ', '-')}.yaml`);
      await writeManifests(file, [change(...args)]);
      const { code, stderr, stdout } = await validate([file]);
      assert.notEqual(code, 0);
      assert.match(stderr + stdout, message);
    });
  }

  it('follow the policy', async () => {
    const { code, stdout, stderr } = await checkPolicy(healthy);
    assert.equal(code, 0, stdout + stderr);
  });

  it('violate the policy with each omission', async () => {
    const file = join(folder, 'unhardened', 'all.yaml');
    const omissions: readonly (readonly [
      check: string,
      path: readonly (string | number)[],
      value: unknown,
    ])[] = [
      ['CKV_K8S_23', [...pod, 'securityContext'], { seccompProfile: { type: 'RuntimeDefault' } }],
      ['CKV_K8S_22', [...container, 'securityContext', 'readOnlyRootFilesystem'], undefined],
      ['CKV_K8S_37', [...container, 'securityContext', 'capabilities'], undefined],
      ['CKV_K8S_20', [...container, 'securityContext', 'allowPrivilegeEscalation'], undefined],
      ['CKV_K8S_16', [...container, 'securityContext', 'privileged'], true],
      ['CKV_K8S_31', [...pod, 'securityContext', 'seccompProfile'], undefined],
      ['CKV_K8S_38', [...pod, 'automountServiceAccountToken'], undefined],
      ['CKV_K8S_14', [...container, 'image'], 'propagation-check:latest'],
      ['CKV_K8S_10', [...container, 'resources', 'requests', 'cpu'], undefined],
      ['CKV_K8S_11', [...container, 'resources', 'limits', 'cpu'], undefined],
      ['CKV_K8S_12', [...container, 'resources', 'requests', 'memory'], undefined],
      ['CKV_K8S_13', [...container, 'resources', 'limits', 'memory'], undefined],
    ];
    const broken = omissions.map(([check, path, value]) => {
      const document = change('kind', 'StatefulSet', 'sink', path, value);
      document.setIn(['metadata', 'name'], check.toLowerCase().replaceAll('_', '-'));
      return document;
    });
    await writeManifests(file, broken);
    const { code, stdout } = await checkPolicy(join(folder, 'unhardened'), 'json');
    assert.notEqual(code, 0);
    const { results } = policyReport.parse(JSON.parse(stdout));
    for (const [check] of omissions) {
      const resource = `StatefulSet.propagation.${check.toLowerCase().replaceAll('_', '-')}`;
      const failed = results.failed_checks
        .filter((one) => one.resource === resource)
        .map((one) => one.check_id);
      assert.ok(failed.includes(check), `${check} does not notice: ${failed.join(', ') || 'nothing'}`);
    }
  });
});

const policyReport = z.object({
  results: z.object({ failed_checks: z.array(z.object({ check_id: z.string(), resource: z.string() })) }),
});

async function writeManifests(file: string, documents: readonly { toString(): string }[]) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, documents.map(String).join('---\n'));
}

const validate = (files: readonly string[]) =>
  runTool('kubectl-validate', ['--version=1.30', '--local-crds=lab/deploy/schemas', ...files]);

const checkPolicy = (folder: string, output = 'cli') =>
  runTool('checkov', [
    '--config-file=deploy/kubernetes/checkov.yaml',
    `--output=${output}`,
    '--directory',
    folder,
  ]);
