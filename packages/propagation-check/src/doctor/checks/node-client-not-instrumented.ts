import type { DoctorCheck, Observation } from '../check.ts';
import { listReachable, listSetups, listUses } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import {
  allInstrumentations,
  fetchInstrumentation,
  httpClients,
  httpInstrumentation,
  patchedModules,
} from '../patched-modules.ts';
import { placeAt } from '../place.ts';
import type { Project } from '../project.ts';
import { findFirst, type SourceFile } from '../source-file.ts';

export const nodeClientNotInstrumented: DoctorCheck = {
  id: 'node-client-not-instrumented',
  severity: 'error',
  title: 'No instrumentation covers a client that the code uses',
  why: 'Only an instrumentation writes the header into a request. `fetch` and undici do not go through `http`: they need @opentelemetry/instrumentation-undici.',
  fix: 'Add the instrumentation that is named, or @opentelemetry/auto-instrumentations-node, which has them all.',
  example: {
    language: 'js',
    text: "import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';\n\nconst sdk = new NodeSDK({ instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()] });",
  },
  leadsTo: ['client-not-instrumented', 'header-not-sent'],
  find: (project) => project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  const { dependencies, sources } = unit;
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  if (dependencies.has(allInstrumentations) || listSetups(unit).length === 0) return [];
  // The program may inject the context itself, or use an instrumentation that is no dependency of this package.
  if ([...sources.values()].some(({ text }) => /\bpropagation\s*\.\s*inject\s*\(/.test(text))) return [];
  // Only sources that the program imports: nobody misses spans of scripts and tools.
  const all = listReachable(project, unit);
  return [
    ...(dependencies.has(fetchInstrumentation) ? [] : all.flatMap((source) => findFetch(source))),
    ...(dependencies.has(httpInstrumentation) ? [] : findImport(all, httpClients, httpInstrumentation)),
    ...[...patchedModules].flatMap(([name, instrumentation]) =>
      dependencies.has(instrumentation) ? [] : findImport(all, [name], instrumentation),
    ),
  ].slice(0, mostPlaces);
}

/** Further places of the same kind show nothing new. */
const mostPlaces = 5;

/** Uses of the global `fetch`, or of undici's functions. */
function findFetch(source: SourceFile): readonly Observation[] {
  const undici = source.imports.find(({ from }) => from === 'undici');
  const says = (what: string) => `${what} is used, and ${fetchInstrumentation} is not installed`;
  if (undici !== undefined) return [{ place: placeAt(source, undici.offset), says: says('undici') }];
  // A local `fetch` hides the global one.
  if (/\bfetch\s*[=:,}]|function\s+fetch\b|\bimport\s+fetch\b/.test(source.text)) return [];
  const place = findFirst(source, /(?<![\w.$'"`-])(?:globalThis\.)?fetch\s*\(/);
  return place === null ? [] : [{ place, says: says('fetch') }];
}

function findImport(
  sources: readonly SourceFile[],
  names: readonly string[],
  instrumentation: string,
): readonly Observation[] {
  return listUses(sources, ({ from }) => names.includes(from)).map(({ from, place }) => ({
    place,
    says: `${from} is used, and ${instrumentation} is not installed`,
  }));
}
