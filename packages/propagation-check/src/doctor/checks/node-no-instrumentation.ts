import type { DoctorCheck, Observation } from '../check.ts';
import { listLaunches } from '../launch.ts';
import { isInjected, listSetups, setupOffset } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import { placeAt } from '../place.ts';
import type { Project } from '../project.ts';
import type { SourceFile } from '../source-file.ts';

export const nodeNoInstrumentation: DoctorCheck = {
  id: 'node-no-instrumentation',
  severity: 'error',
  title: 'The SDK is set up without any instrumentation',
  why: 'The SDK alone makes no spans of requests: an instrumentation reads the header of a request, and writes that of a call.',
  fix: 'Give NodeSDK `instrumentations`, for instance those of @opentelemetry/auto-instrumentations-node.',
  example: {
    language: 'js',
    text: 'new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: (project) => project.units.flatMap((unit) => judge(project, unit)),
};

const instrumentation = /^[^.].*instrument|@fastify\/otel|plugin/;

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  // A package that nothing starts may be a library, whose users add instrumentations.
  if (listLaunches(project, unit).length === 0) return [];
  // Code that injects and extracts the context itself needs no instrumentation.
  if (project.mentions(/\bpropagation\s*\.\s*(?:inject|extract)\b|inject-nodejs/)) return [];
  if (importsAny([unit])) return [];
  const setups = listSetups(unit);
  const isInstalled = [...unit.dependencies.keys()].some((name) => instrumentation.test(name));
  // A file that was not read may load an installed instrumentation, unless the code gives the SDK an empty list.
  if (isInstalled && !(setups.every(givesNone) && !loadsAnother(project))) return [];
  const says = isInstalled
    ? 'instrumentation is installed, and NodeSDK is given none'
    : 'no instrumentation is installed or imported';
  return setups.map((setup) => ({ place: placeAt(setup, setupOffset(setup)), says }));
}

function importsAny(units: readonly NodeUnit[]): boolean {
  return units.some(({ sources }) =>
    [...sources.values()].some(({ imports }) => imports.some(({ from }) => instrumentation.test(from))),
  );
}

/** Whether another package of the project, a preloaded package or the platform may add instrumentations. */
function loadsAnother(project: Project): boolean {
  return importsAny(project.units) || isInjected(project) || project.mentions(preloadedPackage);
}

const preloadedPackage = /(?:^|[\s"'=])(?:-r|--require|--import)[\s=]+\\?["']?[@\w]/;

/** Whether every `new NodeSDK()` has no argument, or an object literal without instrumentations. */
function givesNone({ text }: SourceFile): boolean {
  const [, ...calls] = text.split(/\bnew\s+(?:\w+\.)?NodeSDK\s*\(/);
  return calls.length > 0 && !otherSetup.test(text) && calls.every(hasNone);
}

const otherSetup = /\bregisterInstrumentations\b|\bNodeTracerProvider\b|\bstartNodeSDK\b/;

function hasNone(afterBracket: string): boolean {
  const given = readArguments(afterBracket).trim();
  if (given === '') return true;
  const isWrittenOut = given.startsWith('{') && given.endsWith('}') && !given.includes('...');
  return isWrittenOut && !/\binstrumentations\b/.test(given.replace(/\binstrumentations\s*:\s*\[\s*\]/, ''));
}

/** The arguments up to the closing bracket of the call. A bracket in a string ends them early. */
function readArguments(afterBracket: string): string {
  let depth = 1;
  for (let at = 0; at < afterBracket.length; at += 1) {
    const sign = afterBracket.charAt(at);
    if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    if (depth === 0) return afterBracket.slice(0, at);
  }
  return afterBracket;
}
