import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { plan, rates, readme, replaceTables, settings } from '../../deploy/capacity.ts';

const readManifest = (name: string) =>
  readFile(new URL(`../../deploy/kubernetes/base/${name}`, import.meta.url), 'utf8');

describe('the capacity plan', () => {
  it('is up to date in deploy/README.md', async () => {
    const text = await readFile(readme, 'utf8');
    // Not with `equal`, which would print both files.
    assert.ok(text === replaceTables(text), 'run node scripts/run.mjs deploy/capacity.ts --write');
  });

  it('grows with the rate, from the smallest plan of two replicas and one server', () => {
    const [small, ...larger] = rates.map(plan);
    assert.equal(small?.clickhouse.servers, 1);
    assert.equal(small?.gateway.replicas, 2);
    for (const [index, one] of larger.entries()) {
      const factor = (rates[index + 1] ?? 0) / rates[0];
      assert.ok(Math.abs(one.agent / ((small?.agent ?? 0) * factor) - 1) < 1e-9);
      assert.ok(one.vcpus > (small?.vcpus ?? 0));
    }
  });

  it('gives the sinks memory for all spans that they hold', () => {
    const { sinkMebibytes, sinkCrowdedShare } = settings;
    for (const rate of rates) {
      const { sink, heldBytes } = plan(rate);
      const roomy = sink.replicas * sinkMebibytes * 1024 ** 2 * sinkCrowdedShare;
      assert.ok(heldBytes <= roomy, `${rate} spans/s: ${heldBytes} bytes of ${roomy}`);
    }
  });

  it('has the settings of the manifests', async () => {
    const gateway = await readManifest('gateway-config.yaml');
    assert.match(gateway, new RegExp(`decision_wait: ${settings.decisionWaitSeconds}s`));
    assert.match(gateway, /sampling_percentage: 10 /);
    assert.ok(settings.storedShare > 0.1);
    for (const file of ['gateway.yaml', 'sink.yaml', 'jaeger.yaml'])
      assert.match(
        await readManifest(file),
        new RegExp(`averageUtilization: ${settings.utilization * 100} `),
      );
    assert.match(
      await readManifest('gateway.yaml'),
      new RegExp(`limits: \\{ cpu: '${settings.replicaCpus.gateway}'`),
    );
    const sink = await readManifest('sink.yaml');
    assert.match(sink, new RegExp(`--memory=${settings.sinkMebibytes / 1024}GiB`));
    assert.doesNotMatch(sink, /--close-after/);
    assert.match(
      await readManifest('jaeger.yaml'),
      new RegExp(`limits: \\{ cpu: '${settings.replicaCpus.jaeger}'`),
    );
  });
});
