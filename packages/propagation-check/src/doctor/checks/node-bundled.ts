import type { DoctorCheck, Observation } from '../check.ts';
import { listUses } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import { patchedModules } from '../patched-modules.ts';
import type { Project } from '../project.ts';

export const nodeBundled: DoctorCheck = {
  id: 'node-bundled',
  severity: 'error',
  title: 'A bundler packs what instrumentations have to patch',
  why: 'A bundle holds its own copy of a package and never calls `require` for it, so the instrumentation has nothing to patch: the client sends no header.',
  fix: 'Leave packages outside of the bundle (`--packages=external`, `externals`, `--external NAME`), or use opentelemetry-esbuild-plugin-node.',
  example: {
    language: 'json',
    text: '{ "scripts": { "build": "esbuild src/main.ts --bundle --platform=node --packages=external --outdir=dist" } }',
  },
  leadsTo: ['client-not-instrumented', 'header-not-sent', 'header-ignored'],
  find: (project) => project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  const sources = [...unit.sources.values()];
  const packed = [...patchedModules.keys()].filter(
    (name) => unit.dependencies.has(name) && listUses(sources, ({ from }) => from === name).length > 0,
  );
  if (packed.length === 0 || project.mentions(/esbuild-plugin-node|nodeExternals|webpack-node-externals/))
    return [];
  return [...unit.scripts.values()].flatMap(({ value, place }) => {
    const inside = packed.filter((name) => !isExternal(value, name));
    return packs(value) && inside.length > 0
      ? [{ place, says: `this packs ${inside.join(', ')} into the bundle` }]
      : [];
  });
}

/** Bundlers that are configured on the command line. Configuration files of bundlers are programs, and are not read. */
function packs(script: string): boolean {
  return /\besbuild\b.*\s--bundle\b/.test(script)
    ? !/--platform=browser/.test(script)
    : /\bncc\s+build\b/.test(script);
}

function isExternal(script: string, name: string): boolean {
  return (
    /--packages[= ]external/.test(script) ||
    new RegExp(`(?:--external[:= ]|-e )['"]?${name.replace(/[/-]/g, '\\$&')}\\b`).test(script)
  );
}
