import type { Attributes, Span } from './span.ts';

/** Attributes that identify a container, the most specific first (semantic conventions, resources). */
const containerAttributes = ['k8s.pod.uid', 'k8s.pod.name', 'container.id'] as const;

/** Attributes that identify a machine. */
const machineAttributes = [...containerAttributes, 'host.id', 'host.name'] as const;

/** Attributes that identify a replica. */
export const instanceAttributes = ['service.instance.id', ...machineAttributes] as const;

/** Attributes of a resource that describes one process or container; a host runs several. */
const processAttributes = [
  'service.instance.id',
  'process.pid',
  'faas.instance',
  ...containerAttributes,
] as const;

/**
 * Attributes that are equal in all processes of a pool. Those that do not identify a replica are needed because a service name may occur
 * twice: a browser may have the name of the server of its page, and namespaces and environments reuse names.
 */
const poolAttributes = [
  ...instanceAttributes,
  'telemetry.sdk.language',
  'service.namespace',
  'deployment.environment.name',
  'deployment.environment',
] as const;

/** Attributes by which an SDK names itself (semantic conventions, "Telemetry SDK"). */
const sdkAttributes = [
  'telemetry.sdk.name',
  'telemetry.sdk.version',
  'telemetry.distro.name',
  'telemetry.distro.version',
] as const;

/** The replica of a service by its resource attributes; null if none identifies it. */
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

/** Whether one process may have made both spans: their resources do not name different machines, replicas or processes. */
export function mayBeOfOneProcess({ resource: one }: Span, { resource: other }: Span): boolean {
  return one === other || (mayBeEqual(one, other, 'process.pid') && mayShareAll(one, other));
}

/** As `mayBeOfOneProcess`, or two processes that share a machine, such as workers of a pool; both resources name the machine. */
export function mayBeOfOnePool(one: Span, other: Span): boolean {
  return mayBeOfOneProcess(one, other) || areOfOneMachine(one.resource, other.resource);
}

/** Whether one SDK may have made both spans; a resource without these attributes does not say. */
export function mayBeOfOneSdk({ resource: one }: Span, { resource: other }: Span): boolean {
  if (one === other || !namesSdk(one) || !namesSdk(other)) return true;
  return sdkAttributes.every((name) => one.get(name) === other.get(name));
}

function namesSdk(resource: Attributes): boolean {
  return sdkAttributes.some((name) => resource.has(name));
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
