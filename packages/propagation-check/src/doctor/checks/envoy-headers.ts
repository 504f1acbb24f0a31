import type { DoctorCheck, Observation } from '../check.ts';
import { isTraceHeader } from '../trace-headers.ts';
import type { YamlValue } from '../yaml-value.ts';

export const envoyHeaders: DoctorCheck = {
  id: 'envoy-drops-headers',
  severity: 'error',
  title: 'Envoy or Istio removes the trace header',
  why: 'A route, virtual host or cluster that lists `traceparent` among the request headers to remove ends the trace at the gateway, unless the gateway makes spans itself and writes their context after the removal.',
  fix: 'Remove the header from the list.',
  example: { language: 'yaml', text: 'request_headers_to_remove:\n  - x-internal-debug' },
  leadsTo: ['header-stripped'],
  find: ({ yaml }) =>
    yaml.flatMap(({ root }) => {
      const values = root.descendants();
      // Where Envoy makes spans, its tracer injects the header again after routes have removed it. Source: Envoy, `router.cc`.
      const makesSpans = values.some((value) => value.get('tracing')?.isMap === true);
      return values.flatMap((value) => [
        ...listRemoved(value.get('request_headers_to_remove'), makesSpans),
        // Istio VirtualService and Gateway API: other files say which proxy does this, and whether it makes spans.
        ...listRemoved(value.get('headers', 'request', 'remove'), true),
        ...listRemoved(value.get('requestHeaderModifier', 'remove'), true),
      ]);
    }),
};

function listRemoved(list: YamlValue | null, isUnsure: boolean): readonly Observation[] {
  return (list?.items() ?? []).flatMap((item) =>
    isTraceHeader(item.text ?? '')
      ? [{ place: item.place, says: `the header ${item.text} is removed from requests`, isUnsure }]
      : [],
  );
}
