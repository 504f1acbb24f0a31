// The operator reads a Collector's configuration from its resource, not from a file.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { type Configuration, keepUsed, readCollectorConfiguration } from './collector-configuration.ts';

const kubernetes = new URL('../../deploy/kubernetes/', import.meta.url);
export const collectorsFile = fileURLToPath(new URL('overlays/operator/collectors.yaml', kubernetes));

const workload = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        securityContext: z.unknown(),
        terminationGracePeriodSeconds: z.number().optional(),
        containers: z.array(
          z.object({
            env: z.unknown(),
            resources: z.unknown(),
            securityContext: z.unknown(),
            volumeMounts: z.array(z.object({ name: z.string() }).loose()),
          }),
        ),
        volumes: z.array(z.object({ name: z.string() }).loose()),
      }),
    }),
    volumeClaimTemplates: z.unknown().optional(),
  }),
});

const kustomization = z.object({ images: z.array(z.object({ name: z.string(), newTag: z.string() })) });
const collector = 'otel/opentelemetry-collector-contrib';

/** Reads the image's tag, because kustomize sets tags only in pods. */
async function readImage(): Promise<string> {
  const text = await readFile(new URL('base/kustomization.yaml', kubernetes), 'utf8');
  const image = kustomization.parse(parse(text)).images.find(({ name }) => name === collector);
  if (image === undefined) throw new Error(`base/kustomization.yaml has no tag of ${collector}`);
  return `${collector}:${image.newTag}`;
}

/** @returns The file with both resources, made from the base's workloads and configuration files. */
export async function composeOperatorCollectors(): Promise<string> {
  const agent = await compose('agent', { mode: 'daemonset' });
  const gateway = await compose('gateway', {
    mode: 'statefulset',
    autoscaler: { minReplicas: 2, maxReplicas: 20, targetCPUUtilization: 70 },
    podDisruptionBudget: { maxUnavailable: 1 },
  });
  const head = '# Written by lab/deploy/write-operator.ts from the base; change it there.\n';
  return head + [agent, gateway].map((resource) => stringify(resource, { lineWidth: 0 })).join('---\n');
}

async function compose(name: 'agent' | 'gateway', rest: object) {
  const text = await readFile(new URL(`base/${name}.yaml`, kubernetes), 'utf8');
  const { template, volumeClaimTemplates } = workload.parse(parse(text.split('\n---\n')[0] ?? '')).spec;
  const { containers, volumes, securityContext, terminationGracePeriodSeconds } = template.spec;
  const [container] = containers;
  if (container === undefined) throw new Error(`base/${name}.yaml has no container`);
  const isOwn = (item: { readonly name: string }) => item.name !== 'config';
  const config: Configuration = keepUsed(await readCollectorConfiguration(name));
  return {
    apiVersion: 'opentelemetry.io/v1beta1',
    kind: 'OpenTelemetryCollector',
    metadata: { name, labels: { app: name } },
    spec: {
      ...rest,
      image: await readImage(),
      env: container.env,
      resources: container.resources,
      securityContext: container.securityContext,
      podSecurityContext: securityContext,
      ...(terminationGracePeriodSeconds === undefined ? {} : { terminationGracePeriodSeconds }),
      volumeMounts: container.volumeMounts.filter(isOwn),
      volumes: volumes.filter(isOwn),
      ...(volumeClaimTemplates === undefined ? {} : { volumeClaimTemplates }),
      config,
    },
  };
}
