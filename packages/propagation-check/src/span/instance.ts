import type { Attributes, Span } from './span.ts';

/** Attributes that tell replicas apart, the finest first (semantic conventions, resources). */
const instanceAttributes = [
  'service.instance.id',
  'k8s.pod.uid',
  'k8s.pod.name',
  'container.id',
  'host.id',
  'host.name',
] as const;

/**
 * Attributes with one value in a process. They name no replica: the number of a process is given again on other hosts, and a browser may have
 * the service name of the server of its page.
 */
const processAttributes = [...instanceAttributes, 'process.pid', 'telemetry.sdk.language'] as const;

/** The replica of a service, as its resource says; null where it does not. */
export function readInstance(resource: Attributes): string | null {
  for (const name of instanceAttributes) {
    const value = resource.get(name);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

/** Whether one process may have made both spans: their resources name no different machines, replicas or processes. */
export function mayBeOfOneProcess({ resource: one }: Span, { resource: other }: Span): boolean {
  return (
    one === other ||
    processAttributes.every((name) => {
      const [left, right] = [one.get(name), other.get(name)];
      return left === undefined || right === undefined || left === right;
    })
  );
}
