import { groupBy } from '../../util/group-by.ts';
import type { DoctorCheck, Observation } from '../check.ts';
import { type Environment, hasTelemetry, readVariable, type Setting } from '../environment.ts';
import { listFormats } from '../otel-names.ts';

interface Propagation {
  readonly environment: Environment;
  /** Null where the service uses the default of the SDK. */
  readonly setting: Setting | null;
  readonly formats: readonly string[];
}

const defaultFormats = ['W3C Trace Context'];

export const propagatorsApart: DoctorCheck = {
  id: 'propagators-apart',
  severity: 'error',
  title: 'Two services have no propagation format in common',
  why: 'The one sends headers that the other does not read, so every call between them begins a new trace.',
  fix: 'Give all services of the system one format: remove OTEL_PROPAGATORS everywhere, or add tracecontext where it is missing.',
  example: { language: 'yaml', text: 'environment:\n  OTEL_PROPAGATORS: tracecontext,baggage,b3' },
  leadsTo: ['format-mismatch'],
  find: ({ environments }) => {
    const services = environments.filter(({ kind }) => kind === 'compose' || kind === 'kubernetes');
    return groupBy(services, ({ system }) => system).flatMap((system) =>
      findOdd(system.flatMap(readPropagation)),
    );
  },
};

function readPropagation(environment: Environment): readonly Propagation[] {
  if (!hasTelemetry(environment)) return [];
  const setting = readVariable(environment, 'OTEL_PROPAGATORS');
  // The deployment sets the value.
  if (setting === null && environment.variables.has('OTEL_PROPAGATORS')) return [];
  const formats = setting === null ? defaultFormats : listFormats(setting.value);
  return formats === null || formats.length === 0 ? [] : [{ environment, setting, formats }];
}

/** Finds services without a format in common with another one; each is reported with the first such service. */
function findOdd(services: readonly Propagation[]): readonly Observation[] {
  const stated = services.filter(({ setting }) => setting !== null);
  const seen = new Set<Propagation>();
  return stated.flatMap((one) => {
    const other =
      stated.find((each) => !seen.has(each) && each !== one && !haveCommon(each, one)) ??
      services.find((each) => each.setting === null && !haveCommon(each, one));
    if (other === undefined || one.setting === null) return [];
    seen.add(one);
    const [own, others] = [one, other].map(({ formats }) => formats.join(' and '));
    return [
      {
        place: one.setting.place,
        service: one.environment.service,
        apartFrom: services
          .filter((each) => !haveCommon(each, one))
          .map(({ environment }) => environment.service),
        says:
          `${one.environment.service ?? 'this service'} speaks ${own}, ${other.environment.service ?? 'another'} ${others}` +
          (other.setting === null ? ', by default' : ''),
        // The code of a service without a setting may configure its SDK, and the two services may not call each other.
        isUnsure: other.setting === null,
      },
    ];
  });
}

function haveCommon(one: Propagation, other: Propagation): boolean {
  return one.formats.some((format) => other.formats.includes(format));
}
