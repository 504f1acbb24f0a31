import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import {
  type Configuration,
  components,
  keepUsed,
  readCollectorConfiguration,
  readConfigurations,
  type Tier,
} from './collector-configuration.ts';
import { replaceLoadBalancers } from './load-balancer.ts';
import { collectorsFile, composeOperatorCollectors } from './operator-collectors.ts';
import { obstacle, render, root, runTool, type Tool } from './tools.ts';

describe('the configurations on Kubernetes', { skip: obstacle ?? false }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'configurations-'));
    await mkdir(join(folder, 'credentials'));
    await writeFile(join(folder, 'credentials', 'password'), 'a-password');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function validate(tool: Tool, config: unknown) {
    const file = join(folder, 'config.yaml');
    const text = stringify(config, { lineWidth: 0 })
      .replaceAll('/run/credentials', join(folder, 'credentials'))
      .replaceAll('/var/lib/otelcol/queue', folder);
    await writeFile(file, text);
    return runTool(tool, ['validate', `--config=${file}`]);
  }

  for (const tier of ['agent', 'gateway'] as const) {
    it(`of the ${tier} is valid for the Collector`, async () => {
      const config = replaceLoadBalancers(await readCollectorConfiguration(tier));
      const { code, stderr } = await validate('otelcol-contrib', config);
      assert.equal(code, 0, stderr);
    });
  }

  it('of the documentation for several sinks is valid, and queues a batch where another sink can still take it', async () => {
    const config = await readConfigurations('docs/collector-loadbalancing.yaml');
    const { code, stderr } = await validate('otelcol-contrib', replaceLoadBalancers(config));
    assert.equal(code, 0, stderr);
    const gateway = await readCollectorConfiguration('gateway');
    const listKeys = (exporter: unknown) => Object.keys(components.parse(exporter)).sort();
    assert.deepEqual(
      listKeys(config.exporters['loadbalancing/sink']),
      listKeys(gateway.exporters['loadbalancing/sink']),
    );
  });

  const breaks: readonly [
    name: string,
    tier: Tier,
    path: readonly string[],
    value: unknown,
    message: RegExp,
  ][] = [
    [
      'an exporter that is not there',
      'gateway',
      ['service', 'pipelines', 'traces', 'exporters'],
      ['otlp_grpc/no'],
      /otlp_grpc\/no/,
    ],
    ['a misspelt field of the sampler', 'gateway', ['processors', 'tail_sampling', 'wait'], '10s', /wait/],
    [
      'a misspelt field of a queue',
      'gateway',
      ['exporters', 'otlp_grpc/sampling', 'sending_queue', 'queue'],
      1,
      /queue/,
    ],
    [
      'a misspelt field of a balanced exporter',
      'agent',
      ['exporters', 'loadbalancing/gateway', 'protocol', 'otlp', 'tsl'],
      {},
      /tsl/,
    ],
    [
      'a misspelt field of a balancer’s queue',
      'gateway',
      ['exporters', 'loadbalancing/sink', 'sending_queue', 'store'],
      'x',
      /store/,
    ],
  ];
  for (const [name, tier, path, value, message] of breaks) {
    it(`is refused with ${name}`, async () => {
      const [document] = parseAllDocuments(stringify(await readCollectorConfiguration(tier)));
      assert.ok(document);
      document.setIn(path, value);
      const { code, stderr } = await validate('otelcol-contrib', replaceLoadBalancers(document.toJS()));
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    });
  }

  // The Collector checks the folders of all configured extensions, even of those that it does not start.
  for (const tier of ['agent', 'gateway'] as const) {
    it(`of the ${tier} names folders that its pod has`, async () => {
      const config = await readCollectorConfiguration(tier);
      const { directory } = z
        .object({ directory: z.string() })
        .parse(config.extensions['file_storage/queue']);
      const text = await readFile(join(root, `deploy/kubernetes/base/${tier}.yaml`), 'utf8');
      assert.ok(text.includes(`mountPath: ${directory} }`), `nothing is mounted at ${directory}`);
    });
  }

  it('with an unknown resolver of the balancer is refused', async () => {
    const config = await readCollectorConfiguration('agent');
    config.exporters['loadbalancing/gateway'] = {
      protocol: { otlp: {} },
      resolver: { srv: { hostname: 'gateway' } },
    };
    assert.throws(() => replaceLoadBalancers(config), /srv/);
  });

  it('of Jaeger is valid for Jaeger, and refused with a misspelt field of ClickHouse', async () => {
    const text = await readFile(join(root, 'deploy/kubernetes/base/jaeger-config.yaml'), 'utf8');
    const { code, stderr } = await validate('jaeger', parse(text));
    assert.equal(code, 0, stderr);
    const broken = await validate('jaeger', parse(text.replace('addresses', 'servers')));
    assert.notEqual(broken.code, 0);
    assert.match(broken.stderr, /servers/);
  });
});

describe('the operator’s Collectors', () => {
  it('are those of the base', async () => {
    assert.equal(
      await readFile(collectorsFile, 'utf8'),
      await composeOperatorCollectors(),
      'run node scripts/run.mjs lab/deploy/write-operator.ts',
    );
  });
});

describe('the operator’s overlay', { skip: obstacle ?? false }, () => {
  it('has the image of the other overlays', async () => {
    const images = async (overlay: 'kind' | 'operator') =>
      new Set((await render(overlay)).match(/(?<=image: )otel\/\S+/g));
    const expected = await images('kind');
    assert.equal(expected.size, 1);
    assert.deepEqual(await images('operator'), expected);
  });
});

const ports = z.object({ port: z.number(), protocol: z.string().optional() });
const peer = z.object({ podSelector: z.object({ matchLabels: z.object({ app: z.string() }) }) });
const policy = z.object({
  kind: z.literal('NetworkPolicy'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: z.object({ matchLabels: z.object({ app: z.string() }) }),
    egress: z.tuple([z.object({ to: z.tuple([peer]), ports: z.array(ports) })]).optional(),
    ingress: z.tuple([z.object({ from: z.tuple([peer]), ports: z.array(ports) })]).optional(),
  }),
});

describe('the network policies', { skip: obstacle ?? false }, () => {
  /** Reads the edges of the policies between two pods, as `from-to:port`, by direction. */
  async function readEdges() {
    const egress: string[] = [];
    const ingress: string[] = [];
    for (const document of parseAllDocuments(await render('kind'))) {
      const { data } = policy.safeParse(document.toJS());
      if (data === undefined) continue;
      const own = data.spec.podSelector.matchLabels.app;
      for (const rule of data.spec.egress ?? []) {
        const other = rule.to[0].podSelector.matchLabels.app;
        assert.equal(data.metadata.name, `${own}-to-${other}-egress`);
        egress.push(...rule.ports.map(({ port }) => `${own}-${other}:${port}`));
      }
      for (const rule of data.spec.ingress ?? []) {
        const other = rule.from[0].podSelector.matchLabels.app;
        assert.equal(data.metadata.name, `${other}-to-${own}-ingress`);
        ingress.push(...rule.ports.map(({ port }) => `${other}-${own}:${port}`));
      }
    }
    return { egress: egress.toSorted(), ingress: ingress.toSorted() };
  }

  it('allow each edge at both ends, and exactly those that the configurations need', async () => {
    const { egress, ingress } = await readEdges();
    assert.deepEqual(egress, ingress);
    const jaeger = parse(await readFile(join(root, 'deploy/kubernetes/base/jaeger-config.yaml'), 'utf8'));
    const clickhouse = z
      .array(z.string())
      .parse(jaeger.extensions.jaeger_storage.backends.clickhouse.clickhouse.addresses);
    const needed = [
      ...(await readServiceEdges()),
      ...readExporterEdges('agent', keepUsed(await readCollectorConfiguration('agent'))),
      ...readExporterEdges('gateway', keepUsed(await readCollectorConfiguration('gateway'))),
      ...clickhouse.map((address) => `jaeger-${address}`),
    ];
    assert.deepEqual(egress, needed.toSorted());
  });
});

const deployment = z.object({
  kind: z.literal('Deployment'),
  metadata: z.object({ name: z.string().startsWith('service-') }),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ env: z.array(z.object({ value: z.string().optional() })) })),
      }),
    }),
  }),
});

/** Edges from the URLs in the services' environment variables. */
async function readServiceEdges(): Promise<string[]> {
  return parseAllDocuments(await render('kind')).flatMap((document) => {
    const { data } = deployment.safeParse(document.toJS());
    if (data === undefined) return [];
    const values = data.spec.template.spec.containers.flatMap(({ env }) =>
      env.map(({ value }) => value ?? ''),
    );
    const urls = values.filter((value) => value.startsWith('http://')).map((value) => new URL(value));
    return urls.map(({ host }) => `${data.metadata.name}-${host}`);
  });
}

const endpoint = z.object({ endpoint: z.string() });
const balanced = z.object({
  resolver: z.object({ dns: z.object({ hostname: z.string(), port: z.string() }) }),
});

function readExporterEdges(tier: Tier, config: Configuration): string[] {
  return Object.values(config.exporters).flatMap((exporter) => {
    const plain = endpoint.safeParse(exporter);
    if (plain.success) {
      const host = plain.data.endpoint.replace(/^https?:\/\//, '');
      return host.startsWith('127.0.0.1:') ? [] : [`${tier}-${host}`];
    }
    const { dns } = balanced.parse(exporter).resolver;
    return [`${tier}-${dns.hostname}:${dns.port}`];
  });
}
