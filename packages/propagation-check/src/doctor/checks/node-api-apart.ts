import { groupBy } from '../../util/group-by.ts';
import type { DoctorCheck, Observation } from '../check.ts';
import { type InstalledPackage, readVersion } from '../installed-packages.ts';
import { findSdk, type NodeUnit } from '../node-unit.ts';

const api = '@opentelemetry/api';

/** Packages that make themselves the global tracer provider, context manager and propagator. */
const registrars = ['@opentelemetry/sdk-node', '@opentelemetry/sdk-trace-node', '@opentelemetry/sdk-trace'];

export const nodeApiApart: DoctorCheck = {
  id: 'node-api-apart',
  severity: 'error',
  title: 'Two copies of @opentelemetry/api do not see each other',
  why: 'A copy uses what another has registered only if that one has at least its own minor version. Otherwise all its calls do nothing: no spans, no headers.',
  fix: 'Install one copy: give all packages the version of the SDK, with `overrides` (npm, pnpm) or `resolutions` (Yarn), and look at `npm ls @opentelemetry/api`.',
  example: { language: 'json', text: '{ "overrides": { "@opentelemetry/api": "1.9.0" } }' },
  leadsTo: [
    'client-not-instrumented',
    'server-not-instrumented',
    'context-lost-in-process',
    'header-not-sent',
  ],
  find: ({ units }) =>
    // Every package of a workspace sees the copies of the whole workspace, so their observations repeat.
    groupBy(units.flatMap(judge), ({ place, says }) => `${place.path}:${place.line} ${says}`).map(
      ([first]) => first,
    ),
};

function judge(unit: NodeUnit): readonly Observation[] {
  const { installed, folder } = unit;
  if (installed === null || findSdk(unit) === null) return [];
  const registrar = registrars
    .flatMap((name) => installed.resolveFrom(folder, name) ?? [])
    .map((found) => ({ found, version: found.resolve(api) ?? installed.resolveFrom(folder, api) }))[0];
  const registered = registrar?.version ?? null;
  if (registrar === undefined || registered === null) return [];
  const says = (who: string, { version }: InstalledPackage) =>
    `${who} uses ${api} ${version}, and ${registrar.found.name} ${registrar.found.version} registers with ${registered.version}`;
  const own = installed.resolveFrom(folder, api);
  return [
    ...(own !== null && isBlind(own, registered)
      ? [{ place: own.place, says: says('the code of the project', own) }]
      : []),
    ...installed.all.flatMap((user) => {
      const copy = user.isDev || !isInstrumentation(user.name) ? null : user.resolve(api);
      return copy !== null && isBlind(copy, registered)
        ? [{ place: copy.place, says: says(user.name, copy) }]
        : [];
    }),
    // An old copy of another package is only a note: whether that package makes spans or headers is not known.
    ...installed.all.flatMap((copy) =>
      copy.name === api && copy.owner !== null && !copy.isDev && isBlind(copy, registered)
        ? [{ place: copy.place, says: says(copy.owner, copy), isUnsure: true }]
        : [],
    ),
  ];
}

/** Only instrumentations count: exporters, for instance, make no spans and read no context. */
function isInstrumentation(name: string): boolean {
  return /instrumentation|@fastify\/otel|plugin/.test(name);
}

/** Source: @opentelemetry/api, `internal/semver`: a copy uses a registered one only of at least its own minor version. */
function isBlind(own: InstalledPackage, registered: InstalledPackage): boolean {
  const [mine, other] = [readVersion(own.version), readVersion(registered.version)];
  if (mine === null || other === null) return false;
  return mine.major !== other.major || mine.minor > other.minor;
}
