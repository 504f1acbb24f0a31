import type { DoctorCheck, Observation } from '../check.ts';
import { isInjected, listReachable, listSetups, listUses, preloadsAnything } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import { patchedModules } from '../patched-modules.ts';
import type { Project } from '../project.ts';
import type { Import } from '../source-file.ts';

export const nodeEsmWithoutHook: DoctorCheck = {
  id: 'node-esm-without-hook',
  severity: 'error',
  title: 'An ES module imports what only a loader hook can patch',
  why: 'Instrumentations patch `require`. For `import` they need the loader hook of @opentelemetry/instrumentation; without it this client works and sends no header. (`fetch` needs none.)',
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

/** Functions that are patched on the `http` module after a named import has copied them. Servers are patched on their prototype, so they are safe. */
const copied = /\b(?:request|get)\b/;

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  // Without any setup of an SDK another check reports.
  if (listSetups(unit).length === 0 && !preloadsAnything(project) && !isInjected(project)) return [];
  // A compiler may turn the imports of TypeScript into `require`, so only real ES modules count; scripts and tools do not.
  const modules = listReachable(project, unit).filter(
    ({ path }) => /\.m[jt]s$/.test(path) || (unit.isModule && /\.[jt]s$/.test(path)),
  );
  const isHttp = ({ from, names }: Import): boolean =>
    /^(?:node:)?https?$/.test(from) && names.startsWith('{') && copied.test(names);
  const isClient = ({ from }: Import): boolean => patchedModules.has(from) && unit.dependencies.has(from);
  return listUses(modules, (each) => each.kind !== 'require' && (isHttp(each) || isClient(each))).map(
    ({ from, place }) => ({ place, says: `import of ${from} in an ES module, and no loader hook` }),
  );
}
