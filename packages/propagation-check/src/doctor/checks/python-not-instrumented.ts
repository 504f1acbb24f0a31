import { remember } from '../../util/remember.ts';
import type { DoctorCheck, Observation } from '../check.ts';
import { isBelow } from '../node-unit.ts';
import type { Project } from '../project.ts';
import { hasVendorDistribution, listPythonPrograms, type PythonProgram } from '../python-requirements.ts';
import { areSetUpByName } from '../python-setup.ts';

export const pythonNotInstrumented: DoctorCheck = {
  id: 'python-not-instrumented',
  severity: 'warning',
  title: 'A Python library has no instrumentation',
  why: 'Each library needs its package opentelemetry-instrumentation-NAME: without it a client sends no header, and a server reads none.',
  fix: 'Install the packages that `opentelemetry-bootstrap -a requirements` prints, and start the program with opentelemetry-instrument, or call `instrument()` of each in code.',
  example: {
    language: 'text',
    text: 'opentelemetry-distro\nopentelemetry-instrumentation-requests\nrequests',
  },
  leadsTo: ['client-not-instrumented', 'server-not-instrumented'],
  find: (project) => listPythonPrograms(project).flatMap((program) => judge(project, program)),
};

/** Names on PyPI: the module, and the suffixes of instrumentation packages that read or write its headers. */
interface Library {
  readonly module: string;
  readonly instrumentations: readonly string[];
  /** The library only sends requests, so code that imports it is a client. */
  readonly isClient?: true;
}

/** Source: opentelemetry-python-contrib, `bootstrap_gen.py`. Instrumentations of ASGI and WSGI read the headers for all frameworks on them. */
const libraries: ReadonlyMap<string, Library> = new Map([
  ['requests', { module: 'requests', instrumentations: ['requests', 'urllib3'], isClient: true }],
  ['httpx', { module: 'httpx', instrumentations: ['httpx'], isClient: true }],
  ['aiohttp', { module: 'aiohttp', instrumentations: ['aiohttp-client', 'aiohttp-server'] }],
  ['flask', { module: 'flask', instrumentations: ['flask', 'wsgi'] }],
  ['fastapi', { module: 'fastapi', instrumentations: ['fastapi', 'asgi', 'starlette'] }],
  ['django', { module: 'django', instrumentations: ['django', 'wsgi', 'asgi'] }],
  ['grpcio', { module: 'grpc', instrumentations: ['grpc'] }],
  ['celery', { module: 'celery', instrumentations: ['celery'] }],
  ['pika', { module: 'pika', instrumentations: ['pika'] }],
  ['kafka-python', { module: 'kafka', instrumentations: ['kafka-python', 'kafka'] }],
  ['confluent-kafka', { module: 'confluent_kafka', instrumentations: ['confluent-kafka'] }],
]);

function judge(project: Project, program: PythonProgram): readonly Observation[] {
  const { folder, requirements } = program;
  const has = (name: string) => requirements.some((need) => need.name === name);
  // Without a distribution or an SDK the program is not meant to be traced.
  if (!has('opentelemetry-distro') && !has('opentelemetry-sdk')) return [];
  if (hasVendorDistribution(program)) return [];
  if (project.mentions(/opentelemetry-bootstrap|inject-python|\binject\s*\(/, folder)) return [];
  const code = project.sources.filter(({ path }) => path.endsWith('.py') && isBelow(path, folder));
  const areByName = remember(() => !has('opentelemetry-distro') && areSetUpByName(project, code));
  return requirements.flatMap(({ name, place }) => {
    const library = libraries.get(name);
    if (library === undefined) return [];
    const [wanted = ''] = library.instrumentations;
    const isInstalled = library.instrumentations.some((each) => has(`opentelemetry-instrumentation-${each}`));
    if (isInstalled && !(library.isClient === true && areByName())) return [];
    if (isImported(project, library) || (!isInstalled && isInstalledByImage(project, folder, library)))
      return [];
    const lack = isInstalled
      ? `no code calls instrument() of opentelemetry-instrumentation-${wanted}`
      : `opentelemetry-instrumentation-${wanted} is not installed`;
    const imported = new RegExp(`^\\s*(?:import|from)\\s+${library.module}\\b`, 'm');
    // A requirement that no source imports is needed by another package.
    return code.some(({ text }) => imported.test(text))
      ? [{ place, says: `${name} is used, and ${lack}` }]
      : [];
  });
}

/** Whether any code of the project imports an instrumentation of the library: shared code, or a dependency's instrumentation. */
function isImported({ sources }: Project, library: Library): boolean {
  const module = new RegExp(`opentelemetry\\.instrumentation\\.(?:${matchNames(library)})\\b`);
  return sources.some(({ text }) => module.test(text));
}

function isInstalledByImage(project: Project, folder: string, library: Library): boolean {
  return project.mentions(
    new RegExp(`opentelemetry-instrumentation-(?:${matchNames(library)})(?![\\w-])`),
    folder,
  );
}

function matchNames({ instrumentations }: Library): string {
  return instrumentations.map((name) => name.replace('-', '[-_]')).join('|');
}
