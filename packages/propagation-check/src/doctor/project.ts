import { dirname } from 'node:path/posix';
import { groupBy, mapBy } from '../util/group-by.ts';
import { type Environment, isBackend, type Setting } from './environment.ts';
import { type FileKind, isAside, kindOf } from './files.ts';
import type { InstalledPackages } from './installed-packages.ts';
import { findOwner, isBelow, type NodeUnit, readManifest } from './node-unit.ts';
import type { ProjectFile } from './project-file.ts';
import { readCompose } from './read-compose.ts';
import { readDockerfile } from './read-dockerfile.ts';
import { readEnvFile } from './read-env-file.ts';
import { readConfigMap, readWorkload } from './read-kubernetes.ts';
import { readInstalled, readLockFile } from './read-lock-file.ts';
import { readSource, type SourceFile, withoutEnding } from './source-file.ts';
import { readYaml, type Unparsed, type YamlValue } from './yaml-value.ts';

/** One document of a YAML file. */
export interface YamlFile {
  readonly path: string;
  readonly root: YamlValue;
}

/** The project as checks see it: every file that was read, parsed once. */
export interface Project {
  readonly ofKind: (kind: FileKind) => readonly ProjectFile[];
  readonly environments: readonly Environment[];
  readonly units: readonly NodeUnit[];
  /** Code in JavaScript, TypeScript, Python and Go, without comments. */
  readonly sources: readonly SourceFile[];
  readonly yaml: readonly YamlFile[];
  /** Whether any file matches, apart from comments in sources. */
  readonly mentions: (text: RegExp, below?: string) => boolean;
  /** Files that could not be parsed, for instance templates. */
  readonly unparsed: readonly Unparsed[];
}

/** Pure: the same files give the same project. */
export function parseProject(files: readonly ProjectFile[]): Project {
  const isMeant = ({ path }: ProjectFile) => kindOf(path) === 'installed' || !isAside(path);
  const byKind = mapBy(files.filter(isMeant), ({ path }) => kindOf(path));
  const ofKind = (kind: FileKind): readonly ProjectFile[] => byKind.get(kind) ?? [];
  const unparsed: Unparsed[] = [];
  const locks = ofKind('lock').flatMap((file) => {
    const lock = readLockFile(file);
    if (lock === null) unparsed.push({ path: file.path, at: null });
    return lock ?? [];
  });
  const readDocuments = (file: ProjectFile): readonly YamlFile[] => {
    const documents = readYaml(file);
    if ('path' in documents) {
      unparsed.push(documents);
      return [];
    }
    return documents.map((root) => ({ path: file.path, root }));
  };
  const yaml = ofKind('yaml').flatMap(readDocuments);
  const code = (['source', 'python', 'go'] as const).flatMap((kind) => ofKind(kind).map(readSource));
  const manifests = ofKind('manifest').flatMap(readDocuments);
  const texts = [
    ...code,
    ...ofKind('manifest'),
    ...(['dockerfile', 'yaml', 'env', 'script', 'requirements', 'jvm-build', 'go.mod'] as const).flatMap(
      ofKind,
    ),
  ];
  return {
    ofKind,
    environments: listEnvironments(ofKind, yaml),
    units: listUnits(manifests, code, [...locks, ...listUnlocked(ofKind('installed'), locks)]),
    sources: code,
    yaml,
    mentions: (text, below = '.') =>
      texts.some((file) => (below === '.' || file.path.startsWith(`${below}/`)) && text.test(file.text)),
    unparsed,
  };
}

function listEnvironments(ofKind: Project['ofKind'], yaml: readonly YamlFile[]): readonly Environment[] {
  const dockerfiles = new Map(ofKind('dockerfile').map((file) => [file.path, readDockerfile(file)]));
  const envFiles = new Map(ofKind('env').map((file) => [file.path, readEnvFile(file)]));
  const nearby = {
    envFile: (path: string) => envFiles.get(path) ?? null,
    dockerfile: (path: string) => dockerfiles.get(path) ?? null,
  };
  const configMaps = new Map(
    yaml.flatMap(({ path, root }) =>
      root.get('kind')?.text === 'ConfigMap'
        ? [[`${dirname(path)} ${root.get('metadata', 'name')?.text}`, readConfigMap(root)] as const]
        : [],
    ),
  );
  return [
    ...yaml.flatMap(({ path, root }) =>
      isCompose(root)
        ? readCompose(root, path, nearby)
        : readWorkload(root, path, (name) => configMaps.get(`${dirname(path)} ${name}`) ?? null),
    ),
    ...dockerfiles.values(),
    ...[...envFiles].map(([path, variables]) => readBareVariables(path, variables)),
  ].filter((environment) => !isBackend(environment));
}

/** An environment from an env file that no service names: the program reads it itself, for instance with dotenv. */
function readBareVariables(path: string, variables: ReadonlyMap<string, Setting>): Environment {
  return {
    ...{ service: null, system: path, kind: 'env-file', place: { path, line: 1, column: 1 } },
    ...{ variables, image: null, folder: dirname(path), command: null, isInjected: false },
  };
}

function isCompose(root: YamlValue): boolean {
  const services = root.get('services');
  return (
    services?.isMap === true &&
    services.entries().some(([, service]) => service.get('image') !== null || service.get('build') !== null)
  );
}

/** The packages in `node_modules` of folders without a lock file. */
function listUnlocked(
  manifests: readonly ProjectFile[],
  locks: readonly InstalledPackages[],
): readonly InstalledPackages[] {
  const byFolder = groupBy(manifests, folderOfInstalled);
  return byFolder.flatMap((files) => {
    const [first] = files;
    const folder = folderOfInstalled(first);
    return locks.some((lock) => lock.folder === folder) ? [] : [readInstalled(folder, files)];
  });
}

function folderOfInstalled({ path }: ProjectFile): string {
  const [before = ''] = path.split(/(?:^|\/)node_modules\//);
  return before === '' ? '.' : before;
}

function listUnits(
  manifests: readonly YamlFile[],
  sources: readonly SourceFile[],
  installed: readonly InstalledPackages[],
): readonly NodeUnit[] {
  const read = manifests.map(({ path, root }) => ({ path, folder: dirname(path), ...readManifest(root) }));
  const scripts = sources.filter(({ path }) => /\.[cm]?[jt]s$/.test(path));
  const owned = mapBy(scripts, ({ path }) => findOwner(path, read)?.path);
  return read.map((unit) => {
    const above = read.filter(({ folder }) => isBelow(unit.folder, folder));
    // From the outermost to the nearest manifest, so that the nearest takes precedence.
    above.sort((one, other) => one.folder.length - other.folder.length);
    return {
      ...unit,
      dependencies: new Map(above.flatMap(({ dependencies }) => [...dependencies])),
      sources: new Map(owned.get(unit.path)?.map((source) => [withoutEnding(source.path), source])),
      installed: findOwner(unit.folder, installed),
    };
  });
}
