import type { DoctorCheck, Observation } from '../check.ts';
import { isTraceHeader } from '../trace-headers.ts';
import type { YamlValue } from '../yaml-value.ts';

export const envoyHeaders: DoctorCheck = {
  id: 'envoy-drops-headers',
  severity: 'error',
  title: 'Envoy or Istio removes the trace header',
  why: 'A route, virtual host or cluster that lists `traceparent` among the request headers to remove ends the trace at the gateway.',
  fix: 'Remove the header from the list.',
  example: { language: 'yaml', text: 'request_headers_to_remove:\n  - x-internal-debug' },
  leadsTo: ['header-stripped'],
  find: ({ yaml }) => yaml.flatMap(({ root }) => search(root, 0)),
};

/** Envoy nests some 20 levels; deeper is no configuration of it. */
const deepest = 40;

function search(value: YamlValue, depth: number): readonly Observation[] {
  if (depth > deepest) return [];
  const below = [...value.items(), ...value.entries().map(([, inner]) => inner)];
  // Istio, VirtualService: `headers.request.remove`; Gateway API: filter RequestHeaderModifier.
  const lists = [
    value.get('request_headers_to_remove'),
    value.get('headers', 'request', 'remove'),
    value.get('requestHeaderModifier', 'remove'),
  ].flatMap((list) => list?.items() ?? []);
  const removed = lists.filter((item) => isTraceHeader(item.text ?? ''));
  return [
    ...removed.map((item) => ({
      place: item.place,
      says: `the header ${item.text} is removed from requests`,
    })),
    ...below.flatMap((inner) => search(inner, depth + 1)),
  ];
}
