import type { DoctorCheck, Observation } from '../check.ts';
import { isInjected, listEntries, listSetups, preloadsAnything, setupOffset } from '../node-setup.ts';
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
    const early = order.slice(0, Math.max(at, 0)).find(({ from }) => isPatched(from, unit));
    return early === undefined
      ? []
      : [
          {
            place: early.place,
            says: `${early.from} is loaded before the SDK is set up`,
          },
        ];
  });
}

/** Node's own `http` is patched in place whenever somebody loads it again. */
function isPatched(from: string, { dependencies }: NodeUnit): boolean {
  return patchedModules.has(from) && dependencies.has(from);
}

interface Loaded {
  readonly from: string;
  readonly place: Observation['place'];
  readonly isSetup: boolean;
}

/** What a program loads while it starts, in order. */
function listLoaded(
  source: SourceFile,
  sources: NodeUnit['sources'],
  setups: readonly SourceFile[],
  seen: Set<string>,
): readonly Loaded[] {
  seen.add(source.path);
  // One that sets the SDK up in its own body: CommonJS, also where a compiler makes it, loads line by line.
  const at = setups.includes(source) ? setupOffset(source) : source.text.length;
  const before = source.imports.filter((each) => each.offset < at && isAtStart(source, each));
  const loaded = before.flatMap((each): readonly Loaded[] => {
    const target = resolveImport(source, each, sources);
    const place = placeAt(source, each.offset);
    if (target === null) return [{ from: each.from, place, isSetup: false }];
    if (seen.has(target.path)) return [];
    if (setups.includes(target)) return [{ from: each.from, place, isSetup: true }];
    return listLoaded(target, sources, setups, seen);
  });
  return setups.includes(source)
    ? [...loaded, { from: source.path, place: placeAt(source, at), isSetup: true }]
    : loaded;
}

/** Not in a function, which is called later: its line is not indented. */
function isAtStart({ text }: SourceFile, { kind, offset }: Import): boolean {
  const lineStart = text.lastIndexOf('\n', offset) + 1;
  return kind !== 'dynamic' && !/^\s/.test(text.slice(lineStart, offset + 1));
}
