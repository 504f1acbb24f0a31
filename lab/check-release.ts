import { z } from 'zod';

const targetSchema: z.ZodType<Target> = z.lazy(() =>
  z.union([z.string(), z.record(z.string(), targetSchema)]),
);
type Target = string | { readonly [condition: string]: Target };

export const manifestSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  private: z.boolean().optional(),
  exports: targetSchema.optional(),
  bin: targetSchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Condition of `exports` that is set only within the repository, see `scripts/run.mjs`. */
const sourceCondition = 'trace-context-source';

/** Reasons not to release these packages as `version`. */
export function findVersionFaults(
  manifests: readonly Manifest[],
  version: string,
  changelog: string,
): readonly string[] {
  const others = manifests.filter((manifest) => manifest.version !== version);
  return [
    ...others.map((other) => `${other.name} has version ${other.version} instead of ${version}`),
    ...(readNotes(changelog, version) === '' ? [`CHANGELOG.md says nothing below "## ${version}"`] : []),
  ];
}

/** Files that the manifest names and the tarball lacks, and files in the tarball that belong to the repository alone. */
export function findContentFaults(manifest: Manifest, paths: readonly string[]): readonly string[] {
  const promised = [...listTargets(manifest.exports), ...listTargets(manifest.bin)].map((path) =>
    path.replace(/^\.\//, ''),
  );
  return [
    ...promised.filter((path) => !paths.includes(path)).map((path) => `${manifest.name}: ${path} is missing`),
    ...paths
      .filter((path) => /(^|\/)(src|test|fixtures|captures|corpus|\.[^/]+)(\/|$)/.test(path))
      .map((path) => `${manifest.name}: ${path} is in it`),
  ];
}

/** The changelog's section about a version; empty when there is none. */
export function readNotes(changelog: string, version: string): string {
  const section = changelog.split(/^## /m).find((part) => part.startsWith(`${version}\n`));
  return section?.slice(version.length).trim() ?? '';
}

function listTargets(target: Target | undefined): readonly string[] {
  if (target === undefined) return [];
  if (typeof target === 'string') return [target];
  return Object.entries(target).flatMap(([condition, inner]) =>
    condition === sourceCondition ? [] : listTargets(inner),
  );
}
