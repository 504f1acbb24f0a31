import type { DoctorCheck } from '../check.ts';
import { readVariable } from '../environment.ts';

export const sdkDisabled: DoctorCheck = {
  id: 'sdk-disabled',
  severity: 'warning',
  title: 'The SDK of a service is switched off',
  why: 'With OTEL_SDK_DISABLED=true a service makes no spans, and in some languages reads and sends no header either: traces end there.',
  fix: 'Remove the variable, or keep it to environments in which nobody looks at traces.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_SDK_DISABLED: "false"' },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: ({ environments }) =>
    environments.flatMap((environment) => {
      const setting = readVariable(environment, 'OTEL_SDK_DISABLED');
      // Env files are made for one environment: tests have theirs.
      if (setting?.value.toLowerCase() !== 'true' || environment.kind === 'env-file') return [];
      return [{ place: setting.place, service: environment.service, says: 'OTEL_SDK_DISABLED is true' }];
    }),
};
