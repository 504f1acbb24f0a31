import { basename } from 'node:path/posix';
import type { DoctorCheck, Observation } from '../check.ts';
import { listLaunches } from '../launch.ts';
import { isInjected, listEntries, listSetups, preloadsAnything } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import type { Project } from '../project.ts';
import { resolveImport, type SourceFile, withoutEnding } from '../source-file.ts';

export const nodeSdkNotLoaded: DoctorCheck = {
  id: 'node-sdk-not-loaded',
  severity: 'error',
  title: 'The OpenTelemetry SDK is installed and never loaded',
  why: 'Nothing starts the SDK, so the process makes no spans, reads no header and sends none.',
  fix: 'Load it before the program: `node --import @opentelemetry/auto-instrumentations-node/register`, or `--import` with the file that sets it up.',
  example: { language: 'json', text: '{ "scripts": { "start": "node --import ./tracing.js server.js" } }' },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: (project) =>
    preloadsAnything(project) || isInjected(project)
      ? []
      : project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  const sdk = findSdk(unit);
  const [launch] = listLaunches(project, unit);
  if (sdk === null || launch === undefined || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  // Without the entry among the sources, its imports are not known.
  if (listEntries(project, unit).length === 0) return [];
  const setups = listSetups(unit);
  if (setups.length === 0) {
    const isNamed = [...unit.sources.values()].some(({ imports }) =>
      imports.some(({ from }) => isSetupPackage(from, project)),
    );
    return isNamed
      ? []
      : [
          {
            place: launch.place,
            says: `this starts the program without the SDK, which ${sdk.place.path}:${sdk.place.line} installs`,
          },
        ];
  }
  const unused = setups.filter((setup) => !isUsed(project, unit, setup));
  return unused.length < setups.length
    ? []
    : unused.map(({ path }) => ({
        place: { path, line: 1, column: 1 },
        says: `no file imports it, and no command preloads it (${launch.place.path}:${launch.place.line})`,
      }));
}

/** Whether the package sets up an SDK, or belongs to this project. */
function isSetupPackage(from: string, { units }: Project): boolean {
  return (
    /^@opentelemetry\/(?:sdk|auto-)|otel|telemetry|tracing|instrumentation/.test(from) ||
    units.some(({ name }) => name !== null && from.startsWith(name))
  );
}

function isUsed(project: Project, unit: NodeUnit, setup: SourceFile): boolean {
  const path = withoutEnding(setup.path);
  const name = basename(path);
  if (listEntries(project, unit).some((entry) => entry.path === setup.path)) return true;
  if (
    unit.name !== null &&
    project.sources.some(({ imports }) =>
      imports.some(({ from }) => from === unit.name || from.startsWith(`${unit.name}/`)),
    )
  )
    return true;
  return project.sources.some((source) =>
    source.imports.some((each) =>
      each.from.startsWith('.')
        ? resolveImport(source, each, unit.sources)?.path === setup.path
        : // An alias of a compiler or bundler: `@/tracing`.
          each.from === name ||
          each.from.endsWith(`/${name}`) ||
          (name === 'index' && each.from.endsWith(basename(path.slice(0, -6)))),
    ),
  );
}
