import { dirname } from 'node:path/posix';
import type { Environment, Setting } from './environment.ts';
import { readResourceName } from './otel-names.ts';
import type { YamlValue } from './yaml-value.ts';

/** The environments of a workload's containers, including the values of ConfigMaps. */
export function readWorkload(
  root: YamlValue,
  path: string,
  configMap: (name: string) => ReadonlyMap<string, Setting> | null,
): readonly Environment[] {
  const pod = findPod(root);
  if (pod === null) return [];
  const name = root.get('metadata', 'name')?.text ?? null;
  const containers = pod.get('spec', 'containers')?.items() ?? [];
  const isInjected = listAnnotations(root, pod).some((key) =>
    key.startsWith('instrumentation.opentelemetry.io/inject-'),
  );
  return containers.map((container) => {
    const variables = new Map([
      ...(container.get('envFrom')?.items() ?? []).flatMap((from) => [
        ...(configMap(from.get('configMapRef', 'name')?.text ?? '') ?? []),
      ]),
      ...readVariables(container),
    ]);
    const label = containers.length === 1 ? name : (container.get('name')?.text ?? name);
    return {
      service: readResourceName(variables) ?? label,
      system: dirname(path),
      kind: 'kubernetes',
      place: container.get('name')?.place ?? container.place,
      variables,
      image: container.get('image')?.text ?? null,
      folder: null,
      command: readCommand(container),
      isInjected,
    };
  });
}

export function readConfigMap(root: YamlValue): ReadonlyMap<string, Setting> {
  const entries = root.get('data')?.entries() ?? [];
  return new Map(
    entries.flatMap(([name, value]) =>
      value.text === null ? [] : [[name, { value: value.text, place: value.place }] as const],
    ),
  );
}

/** The pod specification of a workload. Source: Kubernetes API, workload resources. */
function findPod(root: YamlValue): YamlValue | null {
  const kind = root.get('kind')?.text;
  if (kind === 'Pod') return root;
  if (kind === 'CronJob') return root.get('spec', 'jobTemplate', 'spec', 'template');
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'ReplicaSet', 'Rollout'].includes(kind ?? '')
    ? root.get('spec', 'template')
    : null;
}

function listAnnotations(...owners: readonly YamlValue[]): readonly string[] {
  return owners.flatMap((owner) =>
    (owner.get('metadata', 'annotations')?.entries() ?? []).map(([key]) => key),
  );
}

function readVariables(container: YamlValue): ReadonlyMap<string, Setting> {
  const variables = new Map<string, Setting>();
  for (const item of container.get('env')?.items() ?? []) {
    const name = item.get('name')?.text;
    const value = item.get('value');
    if (name && value?.text != null) variables.set(name, { value: value.text, place: value.place });
  }
  return variables;
}

function readCommand(container: YamlValue): Setting | null {
  const parts = [container.get('command'), container.get('args')].flatMap((value) => value ?? []);
  const [first] = parts;
  if (first === undefined) return null;
  const words = parts.flatMap((value) => value.items().map((item) => item.text ?? ''));
  return { value: words.join(' '), place: first.place };
}
