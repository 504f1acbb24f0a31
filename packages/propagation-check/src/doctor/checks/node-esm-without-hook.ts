import type { DoctorCheck, Observation } from '../check.ts';
import { isHttpInstrumented, propagatesItself, requiresHttp, whenPatched } from '../imported-http.ts';
import { listLaunches, startsCommonJs } from '../launch.ts';
import { isInjected, listReachable, listSetups, listUses, preloadsAnything } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import { patchedModules } from '../patched-modules.ts';
import type { Project } from '../project.ts';
import type { Import } from '../source-file.ts';

export const nodeEsmWithoutHook: DoctorCheck = {
  id: 'node-esm-without-hook',
  severity: 'error',
  title: 'An ES module imports what only a loader hook can patch',
  why: 'Instrumentations patch `require`. For `import` they need the loader hook of @opentelemetry/instrumentation; without it this client works and sends no header, and a server on an imported `http` has no spans unless a package such as Express requires `http`. (`fetch` needs none.)',
  fix: 'Register the hook before the program, in the file that `--import` names, or with `--experimental-loader=@opentelemetry/instrumentation/hook.mjs`.',
  example: {
    language: 'js',
    text: "// hook.mjs, for node --import ./hook.mjs\nimport { register } from 'node:module';\nregister('@opentelemetry/instrumentation/hook.mjs', import.meta.url);",
  },
  leadsTo: ['client-not-instrumented', 'server-not-instrumented', 'header-not-sent', 'header-ignored'],
  find: (project) =>
    project.mentions(/instrumentation\/hook\.mjs|import-in-the-middle|instrumentation\/hook['"]/)
      ? []
      : project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  const isPreloaded = preloadsAnything(project) || isInjected(project);
  const setups = listSetups(unit);
  // Without any setup of an SDK another check reports.
  if (setups.length === 0 && !isPreloaded) return [];
  const launches = listLaunches(project, unit);
  if (launches.length > 0 && launches.every((launch) => startsCommonJs(launch, unit))) return [];
  const reachable = listReachable(project, unit);
  // A command outside of the project loads the SDK, and may name the hook.
  const isUnsure = launches.length === 0 && !isPreloaded && !reachable.some((each) => setups.includes(each));
  // A compiler may turn the imports of TypeScript into `require`, so only real ES modules count; scripts and tools do not.
  const modules = reachable.filter(
    ({ path }) => /\.m[jt]s$/.test(path) || (unit.isModule && /\.[jt]s$/.test(path)),
  );
  const usesHttp = (wanted: ReturnType<typeof whenPatched>): ReturnType<typeof listUses> =>
    propagatesItself(reachable)
      ? []
      : listUses(modules, (each, source) => whenPatched(source, each) === wanted);
  const isClient = ({ from, kind }: Import): boolean =>
    kind !== 'require' && patchedModules.has(from) && unit.dependencies.has(from);
  const unpatched = [...listUses(modules, isClient), ...usesHttp('never')];
  const patchedLater = isHttpInstrumented(unit) ? usesHttp('after-require') : [];
  const found = [
    ...unpatched.map(({ from, place }) => ({
      place,
      says: `import of ${from} in an ES module, and no loader hook`,
    })),
    ...describeLater(patchedLater, requiresHttp(project, unit, reachable)),
  ];
  return isUnsure ? found.map((observation) => ({ ...observation, isUnsure })) : found;
}

function describeLater(
  uses: ReturnType<typeof listUses>,
  isRequired: ReturnType<typeof requiresHttp>,
): readonly Observation[] {
  if (isRequired === 'yes') return [];
  const unless = isRequired === 'no' ? '' : ' unless a package or the exporter loads it with require';
  return uses.map(({ from, place }) => ({
    place,
    says: `${from} is only imported, and no loader hook: its servers and calls have no spans${unless}`,
    isUnsure: isRequired === 'unknown',
  }));
}
