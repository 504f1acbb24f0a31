import { groupBy } from '../../util/group-by.ts';
import type { DoctorCheck, Observation } from '../check.ts';
import { type Environment, hasTelemetry, readVariable } from '../environment.ts';

export const samplersApart: DoctorCheck = {
  id: 'samplers-apart',
  severity: 'warning',
  title: 'Services sample traces each for itself',
  why: 'A sampler without `parentbased_` does not ask the caller: it drops spans in the middle of traces that others keep, and what is called below hangs from a parent that nobody has.',
  fix: 'Use the parentbased form everywhere, so that the first service decides for the whole trace.',
  example: {
    language: 'yaml',
    text: 'environment:\n  OTEL_TRACES_SAMPLER: parentbased_traceidratio\n  OTEL_TRACES_SAMPLER_ARG: "0.1"',
  },
  leadsTo: ['not-sampled'],
  find: ({ environments }) =>
    groupBy(
      environments.filter(
        (each) => each.kind !== 'dockerfile' && each.kind !== 'env-file' && hasTelemetry(each),
      ),
      ({ system }) => system,
    ).flatMap(findOdd),
};

function findOdd(services: readonly Environment[]): readonly Observation[] {
  const samplers = services.map((environment) => ({ environment, ...readSampler(environment) }));
  return samplers.flatMap(({ environment, setting, drops, name }) => {
    const differs = samplers.some((other) => other.name !== name && other.environment !== environment);
    if (setting === null || !drops || !differs) return [];
    return [
      {
        place: setting.place,
        service: environment.service,
        says: `${environment.service ?? 'this service'} samples by ${name}, whatever its caller decided; others do not`,
      },
    ];
  });
}

function readSampler(environment: Environment) {
  const setting = readVariable(environment, 'OTEL_TRACES_SAMPLER');
  const ratio = readVariable(environment, 'OTEL_TRACES_SAMPLER_ARG')?.value ?? '1';
  const sampler = setting?.value ?? 'parentbased_always_on';
  const isRatio = sampler === 'traceidratio';
  return {
    setting,
    name: isRatio ? `traceidratio ${ratio}` : sampler,
    // A ratio of 0 is `sampler-off`.
    drops: isRatio && Number(ratio) > 0 && Number(ratio) < 1,
  };
}
