import type { Setting } from './environment.ts';
import type { InstalledPackages } from './installed-packages.ts';
import type { SourceFile } from './source-file.ts';
import type { YamlValue } from './yaml-value.ts';

/** A `package.json` with the sources below it. */
export interface NodeUnit {
  readonly path: string;
  readonly folder: string;
  readonly name: string | null;
  readonly isModule: boolean;
  readonly main: string | null;
  /** Run-time dependencies, including those of manifests in folders above, which workspaces share. */
  readonly dependencies: ReadonlyMap<string, Setting>;
  readonly scripts: ReadonlyMap<string, Setting>;
  /** Its sources, by path without extension. */
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly installed: InstalledPackages | null;
}

export function readManifest(
  root: YamlValue,
): Pick<NodeUnit, 'name' | 'isModule' | 'main' | 'dependencies' | 'scripts'> {
  return {
    name: root.get('name')?.text ?? null,
    isModule: root.get('type')?.text === 'module',
    main: root.get('main')?.text ?? null,
    dependencies: readTexts(root.get('dependencies')),
    scripts: readTexts(root.get('scripts')),
  };
}

function readTexts(map: YamlValue | null): ReadonlyMap<string, Setting> {
  return new Map(
    (map?.entries() ?? []).flatMap(([name, value]) =>
      value.text === null ? [] : [[name, { value: value.text, place: value.place }] as const],
    ),
  );
}

const nodeSdks = [
  '@opentelemetry/sdk-node',
  '@opentelemetry/auto-instrumentations-node',
  '@opentelemetry/sdk-trace-node',
];

/** The dependency that exports spans. */
export function findSdk({ dependencies }: NodeUnit): Setting | null {
  const name = nodeSdks.find((each) => dependencies.has(each));
  return name === undefined ? null : (dependencies.get(name) ?? null);
}

/** Whether another agent instruments the program, beside or instead of OpenTelemetry. */
export function hasOtherAgent({ dependencies }: NodeUnit): boolean {
  return [...dependencies.keys()].some((name) =>
    /^(?:dd-trace|elastic-apm-node|newrelic|@sentry\/|@vercel\/otel|@elastic\/opentelemetry-node|@splunk\/otel|@honeycombio\/opentelemetry-node|@azure\/monitor-opentelemetry|applicationinsights|@logfire\/|@pydantic\/logfire|@google-cloud\/trace-agent|@grafana\/)/.test(
      name,
    ),
  );
}

/** Whether the code runs in browsers, or a framework compiles it and loads instrumentation in its own way. */
export function isFrontEnd({ dependencies }: NodeUnit): boolean {
  return ['next', 'nuxt', '@remix-run/node', '@sveltejs/kit', 'astro', 'react-native', 'expo'].some((name) =>
    dependencies.has(name),
  );
}

/** The innermost unit whose folder contains the path. */
export function findOwner<T extends { readonly folder: string }>(
  path: string,
  units: readonly T[],
): T | null {
  let owner: T | null = null;
  for (const unit of units)
    if (
      isBelow(path, unit.folder) &&
      (owner === null || unit.folder.length > owner.folder.length || owner.folder === '.')
    )
      owner = unit;
  return owner;
}

export function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}
