import type { DoctorCheck } from '../check.ts';
import { type Environment, hasTelemetry, isDisabled, readVariable } from '../environment.ts';
import { findSilent } from '../find-silent.ts';
import type { Project } from '../project.ts';

export const samplersApart: DoctorCheck = {
  id: 'samplers-apart',
  severity: 'warning',
  title: 'Services sample traces each for itself',
  why: 'A sampler without `parentbased_` does not ask the caller: it drops spans in the middle of traces that others keep, and what is called below hangs from a parent that nobody has.',
  fix: 'Use the parentbased form everywhere, such as `parentbased_traceidratio`, so that the first service decides for the whole trace.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_TRACES_SAMPLER: parentbased_traceidratio\n  OTEL_TRACES_SAMPLER_ARG: "0.1"',
  },
  leadsTo: ['not-sampled'],
  find: (project) =>
    findSilent(project, 'OTEL_TRACES_SAMPLER', (_, environment) => {
      const { name, drops } = readSampler(environment);
      if (!drops || isDisabled(environment)) return null;
      const others = listOthers(project, environment).map((other) => readSampler(other).name);
      const areAlike = others.length > 0 && others.every((other) => other === name);
      return {
        // With equal ratios the SDKs of one language make the same decision for a trace id.
        isUnsure: areAlike,
        says: `${environment.service ?? 'this service'} samples by ${name}, whatever its caller decided${others.length === 0 || areAlike ? '' : '; others do not'}`,
      };
    }),
};

/** The other services of the same system. */
function listOthers({ environments }: Project, environment: Environment): readonly Environment[] {
  return environments.filter(
    (each) =>
      each !== environment &&
      each.system === environment.system &&
      each.kind !== 'dockerfile' &&
      each.kind !== 'env-file' &&
      hasTelemetry(each),
  );
}

function readSampler(environment: Environment) {
  const sampler = readVariable(environment, 'OTEL_TRACES_SAMPLER')?.value ?? 'parentbased_always_on';
  const ratio = readVariable(environment, 'OTEL_TRACES_SAMPLER_ARG')?.value ?? '1';
  const isRatio = sampler === 'traceidratio';
  return {
    name: isRatio ? `traceidratio ${ratio}` : sampler,
    // `sampler-off` reports a ratio of 0.
    drops: isRatio && Number(ratio) > 0 && Number(ratio) < 1,
  };
}
