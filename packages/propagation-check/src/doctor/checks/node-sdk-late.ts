import type { DoctorCheck, Observation } from '../check.ts';
import { isLateHttp, type Load } from '../late-http.ts';
import {
  isInjected,
  listEntries,
  listReachable,
  listSetups,
  preloadsAnything,
  setupOffset,
} from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import { patchedModules } from '../patched-modules.ts';
import { placeAt } from '../place.ts';
import type { Project } from '../project.ts';
import { type Import, resolveImport, type SourceFile } from '../source-file.ts';

export const nodeSdkLate: DoctorCheck = {
  id: 'node-sdk-late',
  severity: 'error',
  title: 'The SDK is loaded after what it instruments',
  why: 'Instrumentations patch modules when they are loaded for the first time. A client or a server that was loaded before keeps its functions: it sends no header and reads none.',
  fix: 'Preload the file that sets the SDK up (`node --import ./tracing.js`), or make its import the very first of the program.',
  example: { language: 'js', text: "require('./tracing');\nconst { Kafka } = require('kafkajs');" },
  leadsTo: ['client-not-instrumented', 'server-not-instrumented', 'header-not-sent', 'header-ignored'],
  find: (project) =>
    preloadsAnything(project) || isInjected(project)
      ? []
      : project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  const setups = listSetups(unit);
  return listEntries(project, unit).flatMap((entry) => {
    const order = listLoaded(entry, unit.sources, setups, new Set());
    const at = order.findIndex(({ isSetup }) => isSetup);
    const before = order.slice(0, Math.max(at, 0)).flatMap(({ load }) => load ?? []);
    const done = [...before, ...setups.flatMap(listBeforeSetup)];
    const started = listReachable(project, unit);
    const early = before.find(
      (load) => isPatched(load.each.from, unit) || isLateHttp(load, unit, done, started),
    );
    return early === undefined
      ? []
      : [
          {
            place: placeAt(early.source, early.each.offset),
            says: `${early.each.from} is loaded before the SDK is set up`,
          },
        ];
  });
}

/** The imports of a setup file that stand before its setup. */
function listBeforeSetup(source: SourceFile): readonly Load[] {
  const at = setupOffset(source);
  return source.imports.filter(({ offset }) => offset < at).map((each) => ({ source, each }));
}

function isPatched(from: string, { dependencies }: NodeUnit): boolean {
  return patchedModules.has(from) && dependencies.has(from);
}

interface Loaded {
  /** Null for the body of the source itself. */
  readonly load: Load | null;
  readonly isSetup: boolean;
}

/** The modules that a program loads when it starts, in order. */
function listLoaded(
  source: SourceFile,
  sources: NodeUnit['sources'],
  setups: readonly SourceFile[],
  seen: Set<string>,
): readonly Loaded[] {
  seen.add(source.path);
  // CommonJS, also when compiled from ES modules, loads line by line: only imports before the setup in its body count.
  const at = setups.includes(source) ? setupOffset(source) : source.text.length;
  const before = source.imports.filter((each) => each.offset < at && isAtStart(source, each));
  const loaded = before.flatMap((each): readonly Loaded[] => {
    const target = resolveImport(source, each, sources);
    const load = { source, each };
    if (target === null) return [{ load, isSetup: false }];
    if (seen.has(target.path)) return [];
    if (setups.includes(target)) return [{ load, isSetup: true }];
    return listLoaded(target, sources, setups, seen);
  });
  return setups.includes(source) ? [...loaded, { load: null, isSetup: true }] : loaded;
}

/** Whether the load is at the top level, which its missing indent shows. Functions run later. */
function isAtStart({ text }: SourceFile, { kind, offset }: Import): boolean {
  const lineStart = text.lastIndexOf('\n', offset) + 1;
  return kind !== 'dynamic' && !/^\s/.test(text.slice(lineStart, offset + 1));
}
