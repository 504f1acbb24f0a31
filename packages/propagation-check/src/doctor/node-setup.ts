import { join } from 'node:path/posix';
import { listLaunches, readEntry } from './launch.ts';
import type { NodeUnit } from './node-unit.ts';
import { httpServers } from './patched-modules.ts';
import { type Place, placeAt } from './place.ts';
import type { Project } from './project.ts';
import { type Import, resolveImport, type SourceFile, withoutEnding } from './source-file.ts';

const setsUp =
  /\bnew\s+(?:\w+\.)?(?:NodeSDK|NodeTracerProvider)\s*\(|\bregisterInstrumentations\s*\(|\bstartNodeSDK\s*\(/;

/** The sources that set up an SDK. */
export function listSetups({ sources }: NodeUnit): readonly SourceFile[] {
  return [...sources.values()].filter(({ text }) => setsUp.test(text));
}

/** The offset of the setup in a source. */
export function setupOffset({ text }: SourceFile): number {
  return Math.max(0, text.search(setsUp));
}

const preload = /(?:^|[\s"'=])(?:-r|--require|--import|--loader|--experimental-loader)(?:[\s=]|$)/;

/** Whether any file preloads a module into Node.js. Every preloaded module may set up the SDK. */
export function preloadsAnything({ mentions }: Project): boolean {
  return mentions(preload);
}

/** Whether the OpenTelemetry Operator or an agent package adds the SDK from outside. */
export function isInjected({ environments, mentions }: Project): boolean {
  return (
    environments.some((each) => each.isInjected) ||
    mentions(/instrumentation\.opentelemetry\.io\/inject-|auto-instrumentations-node\/register|LD_PRELOAD/)
  );
}

/** The sources that commands start, found by name. Of several the highest one counts: `dist/index.js` is not `src/routes/index.ts`. */
export function listEntries(project: Project, unit: NodeUnit): readonly SourceFile[] {
  const launches = listLaunches(project, unit);
  if (launches.length === 0) return guessEntries(unit);
  const names = new Set(launches.flatMap((launch) => readEntry(launch, unit) ?? []));
  return [...names].flatMap((name) => {
    const named = [...unit.sources].filter(([path]) => path === name || path.endsWith(`/${name}`));
    const [highest] = named.sort(([one], [other]) => one.split('/').length - other.split('/').length);
    return highest === undefined ? [] : [highest[1]];
  });
}

const usualEntry = /^(?:src\/)?(?:server|app|main|index)$/;

/** Modules that servers import. Code for browsers does not import them. */
const ofServers = /^node:|^https?$/;

/**
 * Where no command starts the package and it sets up an SDK: its `main`, or sources with the usual names, unless they may be for browsers.
 */
function guessEntries(unit: NodeUnit): readonly SourceFile[] {
  const setups = listSetups(unit);
  if (setups.length === 0) return [];
  const prefix = unit.folder === '.' ? '' : `${unit.folder}/`;
  const main = unit.main === null ? null : withoutEnding(join(unit.folder, unit.main));
  return [...unit.sources].flatMap(([path, source]) =>
    (path === main || usualEntry.test(path.slice(prefix.length))) &&
    !setups.includes(source) &&
    source.imports.some(
      (each) =>
        ofServers.test(each.from) ||
        httpServers.includes(each.from) ||
        setups.some((setup) => setup === resolveImport(source, each, unit.sources)),
    )
      ? [source]
      : [],
  );
}

/** The entries of a package, and all its sources that they import. */
export function listReachable(project: Project, unit: NodeUnit): readonly SourceFile[] {
  const reached = new Set(listEntries(project, unit));
  // The iteration includes elements that are added meanwhile.
  for (const source of reached)
    for (const each of source.imports) {
      const target = resolveImport(source, each, unit.sources);
      if (target !== null) reached.add(target);
    }
  return [...reached];
}

/** Where sources use a package. Sources that set up an exporter are left out: there gRPC only exports spans. */
export function listUses(
  sources: readonly SourceFile[],
  isMeant: (each: Import, source: SourceFile) => boolean,
): readonly { readonly from: string; readonly place: Place }[] {
  return sources
    .filter(({ imports }) => !imports.some(({ from }) => from.startsWith('@opentelemetry/exporter-')))
    .flatMap((source) =>
      source.imports
        .filter((each) => isMeant(each, source))
        .map(({ from, offset }) => ({ from, place: placeAt(source, offset) })),
    );
}
