import type { DoctorCheck } from '../check.ts';
import { isDisabled } from '../environment.ts';
import { findSilent } from '../find-silent.ts';

export const tracesExporterNone: DoctorCheck = {
  id: 'traces-exporter-none',
  severity: 'warning',
  title: 'A service exports no spans',
  why: 'With OTEL_TRACES_EXPORTER=none a service sends its spans nowhere: those of its callees hang from parents that nobody has.',
  fix: 'Remove the variable, or set it to `otlp`; a service that shall only pass the header on needs no SDK.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_TRACES_EXPORTER: otlp' },
  leadsTo: ['client-span-lost', 'server-span-lost'],
  find: (project) =>
    findSilent(project, 'OTEL_TRACES_EXPORTER', ({ value }, environment) =>
      value.trim().toLowerCase() === 'none' && !isDisabled(environment)
        ? { says: 'OTEL_TRACES_EXPORTER is none: no span leaves the service' }
        : null,
    ),
};
