import { dirname } from 'node:path/posix';
import type { DoctorCheck, Observation } from '../check.ts';
import { isBelow } from '../node-unit.ts';
import { placeAt } from '../place.ts';
import type { Project } from '../project.ts';
import type { ProjectFile } from '../project-file.ts';

export const pythonNotInstrumented: DoctorCheck = {
  id: 'python-not-instrumented',
  severity: 'warning',
  title: 'A Python library has no instrumentation',
  why: 'Each library needs its package opentelemetry-instrumentation-NAME: without it a client sends no header, and a server reads none.',
  fix: 'Install the packages that `opentelemetry-bootstrap -a requirements` prints, and start the program with opentelemetry-instrument.',
  example: {
    language: 'text',
    text: 'opentelemetry-distro\nopentelemetry-instrumentation-requests\nrequests',
  },
  leadsTo: ['client-not-instrumented', 'server-not-instrumented'],
  find: (project) => groupByFolder(project).flatMap(([folder, files]) => judge(project, folder, files)),
};

/** Library, and the package that instruments it. Source: opentelemetry-python-contrib, `bootstrap_gen.py`; names end as on PyPI. */
const libraries: ReadonlyMap<string, string> = new Map([
  ['requests', 'requests'],
  ['httpx', 'httpx'],
  ['aiohttp', 'aiohttp-client'],
  ['flask', 'flask'],
  ['fastapi', 'fastapi'],
  ['django', 'django'],
  ['grpcio', 'grpc'],
  ['celery', 'celery'],
  ['pika', 'pika'],
  ['kafka-python', 'kafka-python'],
  ['confluent-kafka', 'confluent-kafka'],
]);

function groupByFolder({ ofKind }: Project): readonly (readonly [string, readonly ProjectFile[]])[] {
  const folders = new Map<string, ProjectFile[]>();
  for (const file of ofKind('requirements')) {
    const folder = dirname(file.path).replace(/(?:^|\/)requirements$/, '') || '.';
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders];
}

function judge(project: Project, folder: string, files: readonly ProjectFile[]): readonly Observation[] {
  const needs = files.flatMap(listRequirements);
  const has = (name: string) => needs.some((need) => need.name === name);
  // Without a distribution or an SDK nobody wants spans; a distribution of a vendor may bring instrumentations along.
  if (!has('opentelemetry-distro') && !has('opentelemetry-sdk')) return [];
  if (project.mentions(/opentelemetry-bootstrap|inject-python|\binstrument_app\b|\binject\s*\(/, folder))
    return [];
  if (
    needs.some(
      ({ name }) =>
        /^opentelemetry-instrumentation$|openinference|logfire|traceloop|ddtrace|sentry-sdk|azure-monitor|splunk-opentelemetry|elastic-opentelemetry/.test(
          name,
        ) && name !== 'opentelemetry-instrumentation',
    )
  )
    return [];
  const used = project.sources.filter(({ path }) => path.endsWith('.py') && isBelow(path, folder));
  return needs.flatMap(({ name, place }) => {
    const instrumentation = libraries.get(name);
    if (instrumentation === undefined || isInstrumented(name, instrumentation, has)) return [];
    const imported = new RegExp(`^\\s*(?:import|from)\\s+${moduleOf(name)}\\b`, 'm');
    // What nothing imports another package needs.
    return used.some(({ text }) => imported.test(text))
      ? [
          {
            place,
            says: `${name} is used, and opentelemetry-instrumentation-${instrumentation} is not installed`,
          },
        ]
      : [];
  });
}

function isInstrumented(name: string, instrumentation: string, has: (name: string) => boolean): boolean {
  // FastAPI, Starlette and ASGI instrumentations read the same header; so do those of WSGI.
  const others =
    name === 'fastapi'
      ? ['asgi', 'starlette']
      : name === 'flask' || name === 'django'
        ? ['wsgi', 'asgi']
        : name === 'aiohttp'
          ? ['aiohttp-server']
          : [];
  return [instrumentation, ...others].some((each) => has(`opentelemetry-instrumentation-${each}`));
}

function moduleOf(name: string): string {
  const modules: Readonly<Record<string, string>> = {
    grpcio: 'grpc',
    'kafka-python': 'kafka',
    'confluent-kafka': 'confluent_kafka',
  };
  return modules[name] ?? name;
}

/** Names in requirements files, and texts in lists and keys of pyproject.toml and Pipfile. */
function listRequirements(
  file: ProjectFile,
): readonly { readonly name: string; readonly place: Observation['place'] }[] {
  const isList = /\.(?:txt|in)$/.test(file.path);
  const form = isList
    ? /^[ \t]*([A-Za-z][\w.-]*)(?=\s*(?:\[|[=<>~!;@#]|$))/gm
    : /["']([A-Za-z][\w.-]*)\s*(?:\[[^\]"']*\])?\s*(?:[=<>~!;][^"'\n]*)?["']|^([A-Za-z][\w.-]*)\s*=\s*[{"']/gm;
  return [...file.text.matchAll(form)].flatMap((match) => {
    const name = match[1] ?? match[2];
    return name === undefined
      ? []
      : [
          {
            name: name.toLowerCase().replace(/[._]/g, '-'),
            place: placeAt(file, match.index + match[0].indexOf(name)),
          },
        ];
  });
}
