import type { DoctorCheck, Observation } from '../check.ts';
import { type Environment, readVariable } from '../environment.ts';
import { readGeneration } from '../installed-packages.ts';
import { findOwner, findSdk, hasOtherAgent } from '../node-unit.ts';
import { listFormats, splitNames } from '../otel-names.ts';
import type { Project } from '../project.ts';
import { hasVendorDistribution, listPythonPrograms } from '../python-requirements.ts';

export const propagatorNotInstalled: DoctorCheck = {
  id: 'propagator-not-installed',
  severity: 'error',
  title: 'A propagator is named that the service does not have',
  why: 'SDKs bring tracecontext and baggage; other formats are packages. Python does not start its instrumentation without them, Node.js warns and goes on with the others.',
  fix: 'Install the package (Python: opentelemetry-propagator-b3, -jaeger, -aws-xray), give NodeSDK the propagator in its code, or remove the name.',
  example: { language: 'text', text: 'opentelemetry-distro\nopentelemetry-propagator-b3' },
  leadsTo: ['header-not-sent', 'header-ignored', 'format-mismatch'],
  find: (project) =>
    project.environments.flatMap((environment) => [
      ...judgePython(project, environment),
      ...judgeNode(project, environment),
    ]),
};

/** Source: opentelemetry-api, `propagate/__init__.py`: a name without an entry point raises an error. */
const pythonPackages: ReadonlyMap<string, string> = new Map([
  ['b3', 'opentelemetry-propagator-b3'],
  ['b3multi', 'opentelemetry-propagator-b3'],
  ['jaeger', 'opentelemetry-propagator-jaeger'],
  ['xray', 'opentelemetry-propagator-aws-xray'],
]);

function judgePython(project: Project, environment: Environment): readonly Observation[] {
  const setting = readVariable(environment, 'OTEL_PROPAGATORS');
  const program = listPythonPrograms(project).find(({ folder }) => folder === environment.folder);
  if (setting === null || program === undefined || hasVendorDistribution(program)) return [];
  const has = (name: string) => program.requirements.some((need) => need.name === name);
  if (!has('opentelemetry-distro') && !has('opentelemetry-sdk')) return [];
  return splitNames(setting.value).flatMap((name) => {
    const needed = pythonPackages.get(name);
    return needed === undefined || has(needed) || project.mentions(new RegExp(needed))
      ? []
      : [
          {
            place: setting.place,
            service: environment.service,
            says: `"${name}" needs ${needed}, which ${program.folder === '.' ? 'the project' : program.folder} does not install`,
          },
        ];
  });
}

/** Source: @opentelemetry/sdk-node, `getPropagatorFromEnv`: from generation 3 on it does not include Jaeger. */
function judgeNode(project: Project, environment: Environment): readonly Observation[] {
  const setting = readVariable(environment, 'OTEL_PROPAGATORS');
  const unit = environment.folder === null ? null : findOwner(environment.folder, project.units);
  const sdk = unit === null ? null : findSdk(unit);
  if (setting === null || unit === null || sdk === null || hasOtherAgent(unit)) return [];
  if (project.mentions(/Propagator\b|auto-configuration-propagators/)) return [];
  const version = unit.installed?.resolveFrom(unit.folder, '@opentelemetry/sdk-node')?.version ?? null;
  const generation = version === null ? null : readGeneration(version);
  const lacks = (name: string): boolean =>
    name === 'xray' ||
    name === 'ottrace' ||
    (name === 'jaeger' && generation !== null && generation >= withoutJaeger);
  const names = splitNames(setting.value);
  const others = names.filter((name) => !lacks(name));
  return names.filter(lacks).map((name) => ({
    place: setting.place,
    service: environment.service,
    says: `"${name}" is no propagator of the SDK for Node.js`,
    // The other propagators of the list still work.
    isUnsure: listFormats(others.join(','))?.length !== 0,
  }));
}

const withoutJaeger = 3;
