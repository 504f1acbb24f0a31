import { isSampledNever } from '../../util/is-sampled-never.ts';
import type { DoctorCheck } from '../check.ts';
import { isDisabled, readVariable } from '../environment.ts';
import { findSilent } from '../find-silent.ts';

export const samplerOff: DoctorCheck = {
  id: 'sampler-off',
  severity: 'warning',
  title: 'A service samples no trace',
  why: 'With `always_off`, or a ratio of 0, a service records no span, and its header tells its callees to record none either. With a parentbased form this holds for the traces that begin in it.',
  fix: 'Remove the variable (the default is `parentbased_always_on`), or use `parentbased_traceidratio` with a ratio above 0.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_TRACES_SAMPLER: parentbased_traceidratio\n  OTEL_TRACES_SAMPLER_ARG: "0.1"',
  },
  leadsTo: ['not-sampled', 'client-span-lost', 'server-span-lost'],
  find: (project) =>
    findSilent(project, 'OTEL_TRACES_SAMPLER', ({ value }, environment) => {
      const ratio = readVariable(environment, 'OTEL_TRACES_SAMPLER_ARG')?.value ?? '';
      if (isDisabled(environment) || !isSampledNever(value, ratio)) return null;
      const named = value.endsWith('traceidratio') ? `${value} ${ratio}` : value;
      const isUnsure = value.startsWith('parentbased_');
      const which = isUnsure ? 'traces that begin here are not recorded' : 'no span is recorded';
      return { isUnsure, says: `OTEL_TRACES_SAMPLER is ${named}: ${which}` };
    }),
};
