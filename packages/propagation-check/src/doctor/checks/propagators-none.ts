import type { DoctorCheck } from '../check.ts';
import { isDisabled, readVariable } from '../environment.ts';
import { listFormats, splitNames } from '../otel-names.ts';

export const propagatorsNone: DoctorCheck = {
  id: 'propagators-none',
  severity: 'error',
  title: 'OTEL_PROPAGATORS names no trace format',
  why: 'With `none`, or with `baggage` alone, the service sends no trace header and reads none: its callees begin traces of their own, and so does it.',
  fix: 'Remove the variable (the default is `tracecontext,baggage`), or name a trace format.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_PROPAGATORS: tracecontext,baggage' },
  leadsTo: ['header-not-sent', 'header-ignored'],
  find: ({ environments }) =>
    environments.flatMap((environment) => {
      const setting = readVariable(environment, 'OTEL_PROPAGATORS');
      if (setting === null || splitNames(setting.value).length === 0 || isDisabled(environment)) return [];
      const isNone = splitNames(setting.value).includes('none');
      if (!isNone && listFormats(setting.value)?.length !== 0) return [];
      return [
        {
          place: setting.place,
          service: environment.service,
          says: `OTEL_PROPAGATORS is "${setting.value}"`,
        },
      ];
    }),
};
