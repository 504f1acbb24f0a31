import { dirname } from 'node:path/posix';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type InstalledPackage, type InstalledPackages, isTelemetry } from './installed-packages.ts';
import { type Place, placeAt } from './place.ts';
import type { ProjectFile } from './project-file.ts';

/** The OpenTelemetry packages that a lock file installs; null where its format is not known. */
export function readLockFile(file: ProjectFile): InstalledPackages | null {
  try {
    if (file.path.endsWith('.json')) return readNpmLock(file);
    return file.path.endsWith('pnpm-lock.yaml') ? readPnpmLock(file) : readYarnLock(file);
  } catch {
    return null;
  }
}

const npmLock = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      dev: z.boolean().optional(),
    }),
  ),
});

/** Source: npm documentation, "package-lock.json", `packages`: keys are folders. */
function readNpmLock(file: ProjectFile): InstalledPackages {
  const { packages } = npmLock.parse(JSON.parse(file.text));
  const copies = Object.entries(packages).flatMap(([path, { version, dev = false }]) =>
    version === undefined ? [] : [{ path, version, isDev: dev, place: placeOf(file, `"${path}": {`) }],
  );
  return resolveByFolders(dirname(file.path), copies);
}

interface Copy {
  /** `node_modules/a/node_modules/b`, relative to the folder of the lock file. */
  readonly path: string;
  readonly version: string;
  readonly isDev: boolean;
  readonly place: () => Place;
}

/** Resolves packages as Node.js does: the nearest `node_modules` on the way up. */
function resolveByFolders(folder: string, copies: readonly Copy[]): InstalledPackages {
  const byPath = new Map<string, InstalledPackage>();
  const resolveFrom = (from: string, name: string): InstalledPackage | null => {
    const found = byPath.get(from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`) ?? null;
    if (found !== null || from === '') return found;
    const parent = dirname(from);
    return resolveFrom(parent === '.' ? '' : parent, name);
  };
  for (const { path, version, isDev, place } of copies) {
    const [name, owner = null] = path
      .split(/(?:^|\/)node_modules\//)
      .slice(1)
      .reverse();
    if (name === undefined || !isTelemetry(name)) continue;
    byPath.set(path, {
      ...{ name, version, isDev, owner },
      place: place(),
      resolve: (wanted) => resolveFrom(path, wanted),
    });
  }
  return {
    folder,
    all: [...byPath.values()],
    resolveFrom: (from, name) => resolveFrom(relativeTo(folder, from), name),
  };
}

function relativeTo(folder: string, path: string): string {
  if (path === folder) return '';
  return folder === '.' ? path : path.slice(folder.length + 1);
}

const versions = z.record(z.string(), z.union([z.string(), z.number()]));
const pnpmImporter = z.looseObject({
  dependencies: z.record(z.string(), z.looseObject({ version: z.string() })).optional(),
});
const pnpmPackage = z.looseObject({ dependencies: versions.optional(), dev: z.boolean().optional() });
const pnpmLock = z.looseObject({
  importers: z.record(z.string(), pnpmImporter).optional(),
  dependencies: pnpmImporter.shape.dependencies,
  packages: z.record(z.string(), pnpmPackage),
  snapshots: z.record(z.string(), pnpmPackage).optional(),
});

/** Source: pnpm, "lockfile v6 and v9": keys are `name@version(peers)`, in v6 after a `/`. */
function readPnpmLock(file: ProjectFile): InstalledPackages {
  const lock = pnpmLock.parse(parseYaml(file.text, { logLevel: 'error' }));
  const importers = lock.importers ?? { '.': { dependencies: lock.dependencies } };
  const byKey = new Map<string, InstalledPackage>();
  const find = (name: string, version: string | number | undefined): InstalledPackage | null =>
    version === undefined ? null : (byKey.get(`${name}@${version}`) ?? null);
  for (const [written, { dependencies = {}, dev = false }] of Object.entries(
    lock.snapshots ?? lock.packages,
  )) {
    const key = written.replace(/^\//, '');
    const [, name = '', version = ''] = /^((?:@[^/@]+\/)?[^/@]+)@([^(]+)/.exec(key) ?? [];
    if (!isTelemetry(name)) continue;
    byKey.set(key, {
      ...{ name, version, isDev: dev, owner: null },
      place: placeOf(file, written)(),
      resolve: (wanted) => find(wanted, dependencies[wanted]),
    });
  }
  const folder = dirname(file.path);
  return {
    folder,
    all: [...byKey.values()],
    resolveFrom: (from, name) => {
      const importer = importers[from === folder ? '.' : relativeTo(folder, from)] ?? importers['.'];
      return find(name, importer?.dependencies?.[name]?.version);
    },
  };
}

/** Yarn 1 has blocks in its own format, later versions YAML. Both have a line of descriptors followed by indented lines. */
function readYarnLock(file: ProjectFile): InstalledPackages {
  const byDescriptor = new Map<string, InstalledPackage>();
  const blocks = file.text.split(/\n(?=\S)/);
  let offset = 0;
  for (const block of blocks) {
    const [head = ''] = block.split('\n');
    const version = /^ {2}version:? "?([^"\n]+)"?$/m.exec(block)?.[1];
    const descriptors = head.replace(/:$/, '').replaceAll('"', '').split(/,\s*/);
    const [, name = ''] = /^((?:@[^/@]+\/)?[^/@]+)@/.exec(descriptors[0] ?? '') ?? [];
    if (version !== undefined && isTelemetry(name)) {
      const needs = new Map(
        [...block.matchAll(/^ {4}"?((?:@[^/"]+\/)?[^"\s:]+)"?:? "?([^"\n]+)"?$/gm)].map(
          ([, wanted = '', range = '']) => [wanted, range.replace(/^npm:/, '')],
        ),
      );
      const found: InstalledPackage = {
        ...{ name, version, isDev: false, owner: null },
        place: placeAt(file, offset),
        resolve: (wanted) => byDescriptor.get(`${wanted}@${needs.get(wanted)}`) ?? null,
      };
      for (const descriptor of descriptors) byDescriptor.set(descriptor.replace('@npm:', '@'), found);
    }
    offset += block.length + 1;
  }
  const folder = dirname(file.path);
  return {
    folder,
    all: [...new Set(byDescriptor.values())],
    // The range that a manifest requests is not known here, so only a package with a single copy is resolved.
    resolveFrom: (_, name) => {
      const copies = new Set([...byDescriptor.values()].filter((each) => each.name === name));
      return copies.size === 1 ? ([...copies][0] ?? null) : null;
    },
  };
}

function placeOf(file: ProjectFile, text: string): () => Place {
  return () => placeAt(file, Math.max(0, file.text.indexOf(text)));
}

/** The OpenTelemetry packages in `node_modules` of a folder without a lock file. */
export function readInstalled(folder: string, manifests: readonly ProjectFile[]): InstalledPackages {
  const manifest = z.looseObject({ version: z.string() });
  const copies = manifests.flatMap((file) => {
    const path = relativeTo(folder, dirname(file.path));
    const read = manifest.safeParse(parseYaml(file.text, { logLevel: 'error' }));
    return read.success
      ? [{ path, version: read.data.version, isDev: false, place: placeOf(file, '"version"') }]
      : [];
  });
  return resolveByFolders(folder, copies);
}
