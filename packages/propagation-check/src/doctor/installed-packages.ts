import type { Place } from './place.ts';

/** One copy of a package of OpenTelemetry. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly place: Place;
  /** Tests and builds alone need it. */
  readonly isDev: boolean;
  /** The package in whose `node_modules` it lies; null for what all share, and where a lock file has no folders. */
  readonly owner: string | null;
  /** The copy that it gets when it imports a package; null where that is not known. */
  readonly resolve: (name: string) => InstalledPackage | null;
}

/** What a lock file, or `node_modules`, installs. */
export interface InstalledPackages {
  /** Of the file that says so. */
  readonly folder: string;
  /** The copies of packages of OpenTelemetry. */
  readonly all: readonly InstalledPackage[];
  /** The copy that the code of a folder gets. */
  readonly resolveFrom: (folder: string, name: string) => InstalledPackage | null;
}

/** Packages whose copies matter: OpenTelemetry's own, and instrumentations that others publish. */
export function isTelemetry(name: string): boolean {
  return name.startsWith('@opentelemetry/') || name === '@fastify/otel' || name === '@prisma/instrumentation';
}

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** The numbers of a version, or of the least one that a range admits: `^1.9.0`, `~0.57`, `1.x`. Null for tags, URLs and sets of ranges. */
export function readVersion(text: string): Version | null {
  const [, major, minor] =
    /^[\^~=v]*(\d+)(?:\.(\d+|x|\*))?(?:\.(?:\d+|x|\*))?(?:[-+][\w.-]+)?$/.exec(text.trim()) ?? [];
  if (major === undefined) return null;
  return { major: Number(major), minor: minor === undefined || !/^\d+$/.test(minor) ? 0 : Number(minor) };
}

/**
 * The generation of the SDK that a package is of: stable packages have it as their major version, experimental ones (0.x) count
 * up to 0.57 for 1, from 0.200 for 2, from 0.300 for 3. Source: opentelemetry-js, README "Package Version Compatibility".
 */
export function readGeneration(version: string): number | null {
  const read = readVersion(version);
  if (read === null) return null;
  if (read.major > 0) return read.major;
  return read.minor < firstOfSecond ? 1 : Math.floor(read.minor / 100);
}

const firstOfSecond = 200;
