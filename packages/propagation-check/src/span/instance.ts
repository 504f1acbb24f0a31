import type { Attributes, Span } from './span.ts';

/** Attributes that tell containers apart, the finest first (semantic conventions, resources). */
const containerAttributes = ['k8s.pod.uid', 'k8s.pod.name', 'container.id'] as const;

/** Attributes that tell machines apart. */
const machineAttributes = [...containerAttributes, 'host.id', 'host.name'] as const;

/** Attributes that tell replicas apart. */
export const instanceAttributes = ['service.instance.id', ...machineAttributes] as const;

/** Attributes of a resource of one process or container: a host has several. */
const processAttributes = [
  'service.instance.id',
  'process.pid',
  'faas.instance',
  ...containerAttributes,
] as const;

/**
 * Attributes with one value in the processes of a pool. Some name no replica: a browser may have the service name of the server of its
 * page, and a name is given again in other namespaces and environments.
 */
const poolAttributes = [
  ...instanceAttributes,
  'telemetry.sdk.language',
  'service.namespace',
  'deployment.environment.name',
  'deployment.environment',
] as const;

/** The replica of a service, as its resource says; null where it does not. */
export function readInstance(resource: Attributes): string | null {
  for (const name of instanceAttributes) {
    const value = resource.get(name);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

export function namesProcess(resource: Attributes): boolean {
  return processAttributes.some((name) => resource.has(name));
}

/** Whether one process may have made both spans: their resources name no different machines, replicas or processes. */
export function mayBeOfOneProcess({ resource: one }: Span, { resource: other }: Span): boolean {
  return one === other || (mayBeEqual(one, other, 'process.pid') && mayShareAll(one, other));
}

/** The same, or two processes of one machine, as those of a pool: their resources name the machine. */
export function mayBeOfOnePool(one: Span, other: Span): boolean {
  return mayBeOfOneProcess(one, other) || areOfOneMachine(one.resource, other.resource);
}

function areOfOneMachine(one: Attributes, other: Attributes): boolean {
  return machineAttributes.some((name) => one.has(name) && other.has(name)) && mayShareAll(one, other);
}

function mayShareAll(one: Attributes, other: Attributes): boolean {
  return poolAttributes.every((name) => mayBeEqual(one, other, name));
}

function mayBeEqual(one: Attributes, other: Attributes, name: string): boolean {
  const [left, right] = [one.get(name), other.get(name)];
  return left === undefined || right === undefined || left === right;
}
