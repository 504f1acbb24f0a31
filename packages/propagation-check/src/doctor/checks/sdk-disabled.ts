import type { DoctorCheck } from '../check.ts';
import { isDisabled } from '../environment.ts';
import { findSilent } from '../find-silent.ts';

export const sdkDisabled: DoctorCheck = {
  id: 'sdk-disabled',
  severity: 'warning',
  title: 'The SDK of a service is switched off',
  why: 'With OTEL_SDK_DISABLED=true a service makes no spans, and in some languages reads and sends no header either: traces end there.',
  fix: 'Remove the variable, or keep it to environments in which nobody looks at traces.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_SDK_DISABLED: "false"' },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: (project) =>
    findSilent(project, 'OTEL_SDK_DISABLED', (_, environment) =>
      isDisabled(environment) ? { says: 'OTEL_SDK_DISABLED is true: no span is made' } : null,
    ),
};
