import type { DoctorCheck } from '../check.ts';
import { isDisabled, readVariable } from '../environment.ts';
import { findSilent } from '../find-silent.ts';

export const samplerRatio: DoctorCheck = {
  id: 'sampler-ratio',
  severity: 'warning',
  title: 'The ratio of the sampler is no number from 0 to 1',
  why: 'SDKs ignore such a ratio and sample every trace that begins in the service. Java does not start its SDK, and nor do older SDKs of Python with a number out of range: the service makes no spans and sends no header.',
  fix: 'Write OTEL_TRACES_SAMPLER_ARG as a decimal number from 0 to 1, with a point: 10 % of the traces are 0.1.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_TRACES_SAMPLER: parentbased_traceidratio\n  OTEL_TRACES_SAMPLER_ARG: "0.1"',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented', 'not-sampled'],
  find: (project) =>
    findSilent(project, 'OTEL_TRACES_SAMPLER_ARG', ({ value }, environment) => {
      const sampler = readVariable(environment, 'OTEL_TRACES_SAMPLER')?.value.trim() ?? '';
      if (!/^(?:parentbased_)?traceidratio$/i.test(sampler) || isDisabled(environment)) return null;
      const ratio = value.trim() === '' ? 1 : Number(value);
      if (ratio >= 0 && ratio <= mostRatio) return null;
      const meant = guessRatio(value);
      const hint = meant === null ? '' : `; ${meant} is probably meant`;
      return {
        says: `OTEL_TRACES_SAMPLER_ARG is "${value}", and ${sampler} takes a number from 0 to 1${hint}`,
      };
    }),
};

/** All traces, as a ratio and in percent. Source: OpenTelemetry specification, `TraceIdRatioBased`. */
const [mostRatio, mostPercent] = [1, 100];

/** Reads a percentage, or a number with a decimal comma. */
function guessRatio(value: string): number | null {
  const [, digits = ''] = /^(\d+(?:[.,]\d+)?) ?%?$/.exec(value.trim()) ?? [];
  const number = Number(digits.replace(',', '.'));
  if (digits === '' || number > mostPercent) return null;
  const isPercentage = number > mostRatio || value.includes('%');
  return isPercentage ? Number((number / mostPercent).toPrecision(exactDigits)) : number;
}

/** A double holds any decimal number of so many digits; more would show the error of the division: 1.1 % is 0.011. Source: IEEE 754. */
const exactDigits = 15;
