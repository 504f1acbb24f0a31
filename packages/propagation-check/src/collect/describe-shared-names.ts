import type { SpanStore } from '../span/span-store.ts';
import { mapBy } from '../util/group-by.ts';
import { listNames } from '../util/list-names.ts';

/**
 * Notes each service name that several namespaces share. Instances without a namespace are ignored: not every instance of a service may
 * set it. Source: semantic conventions, resource: `service.name` is unique within its `service.namespace`.
 */
export function describeSharedNames({ resourceTable }: Pick<SpanStore, 'resourceTable'>): readonly string[] {
  const named = resourceTable.flatMap(({ serviceName, attributes }) => {
    const namespace = attributes.get('service.namespace')?.toString() ?? '';
    return serviceName === null || namespace === '' ? [] : [{ serviceName, namespace }];
  });
  const byName = [...mapBy(named, ({ serviceName }) => serviceName)].sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  return byName.flatMap(([name, alike]) => {
    const namespaces = [...new Set(alike.map(({ namespace }) => namespace))];
    return namespaces.length === 1
      ? []
      : [
          `${namespaces.length} namespaces share the name ${name} (service.namespace: ${listNames(namespaces)}) and are judged as one service: ` +
            'whole calls of one may stand beside broken ones of another; check the spans of each namespace apart, or name the services apart',
        ];
  });
}
