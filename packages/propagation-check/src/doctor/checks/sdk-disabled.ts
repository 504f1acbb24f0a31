import { groupBy } from '../../util/group-by.ts';
import type { DoctorCheck } from '../check.ts';
import { hasTelemetry, isDisabled, readVariable } from '../environment.ts';

export const sdkDisabled: DoctorCheck = {
  id: 'sdk-disabled',
  severity: 'warning',
  title: 'The SDK of a service is switched off',
  why: 'With OTEL_SDK_DISABLED=true a service makes no spans, and in some languages reads and sends no header either: traces end there.',
  fix: 'Remove the variable, or keep it to environments in which nobody looks at traces.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_SDK_DISABLED: "false"' },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: ({ environments }) => {
    const systems = groupBy(
      environments.filter(({ kind }) => kind === 'compose' || kind === 'kubernetes'),
      ({ system }) => system,
    );
    return systems.flatMap((services) => {
      // A system without any spans is meant to have none.
      const hasOthers = services.some((each) => hasTelemetry(each) && !isDisabled(each));
      return services.filter(isDisabled).flatMap((environment) => {
        const setting = readVariable(environment, 'OTEL_SDK_DISABLED');
        return setting === null || !hasOthers
          ? []
          : [
              {
                place: setting.place,
                service: environment.service,
                says: 'OTEL_SDK_DISABLED is true, and other services of the system have spans',
              },
            ];
      });
    });
  },
};
