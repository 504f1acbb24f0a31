import type { Place } from './place.ts';

/** One copy of an OpenTelemetry package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly place: Place;
  /** Only tests and builds need it. */
  readonly isDev: boolean;
  /** The package in whose `node_modules` the copy is; null where all packages share it, or the lock file has no folders. */
  readonly owner: string | null;
  /** The copy of a package that this copy imports; null where that is not known. */
  readonly resolve: (name: string) => InstalledPackage | null;
}

/** The installed packages, by a lock file or by `node_modules`. */
export interface InstalledPackages {
  /** The folder of the lock file, or of `node_modules`. */
  readonly folder: string;
  /** All copies of OpenTelemetry packages. */
  readonly all: readonly InstalledPackage[];
  /** The copy of a package that code in a folder imports. */
  readonly resolveFrom: (folder: string, name: string) => InstalledPackage | null;
}

/** Whether copies of the package matter: OpenTelemetry's own packages, and instrumentations by others. */
export function isTelemetry(name: string): boolean {
  return name.startsWith('@opentelemetry/') || name === '@fastify/otel' || name === '@prisma/instrumentation';
}

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** The version, or the lowest one of a range: `^1.9.0`, `~0.57`, `1.x`. Null for tags, URLs and combined ranges. */
export function readVersion(text: string): Version | null {
  const [, major, minor] =
    /^[\^~=v]*(\d+)(?:\.(\d+|x|\*))?(?:\.(?:\d+|x|\*))?(?:[-+][\w.-]+)?$/.exec(text.trim()) ?? [];
  if (major === undefined) return null;
  return { major: Number(major), minor: minor === undefined || !/^\d+$/.test(minor) ? 0 : Number(minor) };
}

/**
 * The generation of the SDK to which a package belongs. Stable packages have it as their major version. Experimental ones belong to 1 up to
 * 0.57, to 2 from 0.200, and to 3 from 0.300. Source: opentelemetry-js, README "Package Version Compatibility".
 */
export function readGeneration(version: string): number | null {
  const read = readVersion(version);
  if (read === null) return null;
  if (read.major > 0) return read.major;
  return read.minor < firstOfSecond ? 1 : Math.floor(read.minor / 100);
}

const firstOfSecond = 200;
