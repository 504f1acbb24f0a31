import type { DoctorCheck, Observation } from '../check.ts';
import { isTraceHeader } from '../trace-headers.ts';
import type { YamlValue } from '../yaml-value.ts';

export const traefikHeaders: DoctorCheck = {
  id: 'traefik-drops-headers',
  severity: 'error',
  title: 'Traefik removes the trace header',
  why: 'An empty value in `customRequestHeaders` of a middleware removes the header from requests.',
  fix: 'Remove the header from the middleware.',
  example: { language: 'yaml', text: 'customRequestHeaders:\n  X-Internal-Debug: ""' },
  leadsTo: ['header-stripped'],
  find: ({ yaml }) =>
    // A file of Traefik's file provider, a Kubernetes object of the kind Middleware, or labels in Compose.
    yaml.flatMap(({ root }) => [
      ...(root.get('http', 'middlewares')?.entries() ?? []).flatMap(([, middleware]) => judge(middleware)),
      ...(root.get('kind')?.text === 'Middleware' ? judge(root.get('spec')) : []),
      ...(root.get('services')?.entries() ?? []).flatMap(([, service]) => judgeLabels(service.get('labels'))),
    ]),
};

/** Source: Traefik documentation, "Headers": an empty value removes the header. */
function judge(middleware: YamlValue | null): readonly Observation[] {
  const headers = middleware?.get('headers', 'customRequestHeaders')?.entries() ?? [];
  return headers.flatMap(([name, value]) =>
    isTraceHeader(name) && value.text === '' ? [{ place: value.place, says: `${name} is removed` }] : [],
  );
}

/** Labels of a Compose service, as a map or as a list of `name=value`. */
function judgeLabels(labels: YamlValue | null): readonly Observation[] {
  const pairs = [
    ...(labels?.entries() ?? []).map(([name, value]) => ({ name, value: value.text, place: value.place })),
    ...(labels?.items() ?? []).map((item) => {
      const [name = '', ...rest] = (item.text ?? '').split('=');
      return { name, value: rest.join('='), place: item.place };
    }),
  ];
  return pairs.flatMap(({ name, value, place }) => {
    const header = /^traefik\.http\.middlewares\.[^.]+\.headers\.customrequestheaders\.(.+)$/i.exec(
      name,
    )?.[1];
    const isEmpty = value === '' || value === '""' || value === "''";
    return header !== undefined && isTraceHeader(header) && isEmpty
      ? [{ place, says: `the label removes ${header}` }]
      : [];
  });
}
