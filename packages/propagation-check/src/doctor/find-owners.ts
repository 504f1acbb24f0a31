import { basename, dirname } from 'node:path/posix';
import { type Environment, readVariable } from './environment.ts';
import type { FileKind } from './files.ts';
import { isBelow, type NodeUnit } from './node-unit.ts';
import { parseProject } from './project.ts';
import type { ProjectFile } from './project-file.ts';

/** Which services the files of a project belong to. */
export interface Owners {
  /** Every name that a folder of a service gives, in lower case. */
  readonly names: ReadonlySet<string>;
  /**
   * The names of the services that run a file: those of the innermost folder of a service around it, and of folders whose package depends
   * on it. Empty for a file outside such folders, which all services may share.
   */
  readonly of: (path: string) => readonly string[];
}

/** Each file of such a kind makes its folder the folder of a service. */
const markers: readonly FileKind[] = ['manifest', 'go.mod', 'requirements', 'jvm-build', 'dockerfile'];

/** Names the folders of services by their own name, the `name` of their package.json, and what Compose, Kubernetes and env files say. */
export function findOwners(files: readonly ProjectFile[]): Owners {
  const { ofKind, environments, units } = parseProject(files);
  const folders = new Map<string, Set<string>>();
  const add = (folder: string, name: string | null): void => {
    const names = folders.get(folder) ?? new Set();
    folders.set(folder, names);
    if (name !== null && name !== '' && name !== '.') names.add(name.toLowerCase());
  };
  for (const { path } of markers.flatMap(ofKind)) add(dirname(path), basename(dirname(path)));
  for (const { folder, name } of units) for (const each of namesOfPackage(name)) add(folder, each);
  for (const environment of environments)
    if (environment.folder !== null) add(environment.folder, nameEnvironment(environment));
  // In a project of several folders, files at its root belong to no single service.
  const isMonorepo = folders.size > 1;
  if (isMonorepo) folders.delete('.');
  const dependents = listDependents(units);
  return {
    names: new Set([...folders.values()].flatMap((names) => [...names])),
    of: (path) => {
      const around = [...folders.keys()].filter((folder) => isBelow(path, folder));
      const [owner] = around.sort((one, other) => other.length - one.length);
      if (owner === undefined) return [];
      const all = [owner, ...dependents(owner)];
      return [...new Set(all.flatMap((folder) => [...(folders.get(folder) ?? [])]))];
    },
  };
}

/** `@shop/orders` is often the service `orders`. */
function namesOfPackage(name: string | null): readonly string[] {
  return name === null ? [] : [name, name.slice(name.lastIndexOf('/') + 1)];
}

function nameEnvironment(environment: Environment): string | null {
  return readVariable(environment, 'OTEL_SERVICE_NAME')?.value ?? environment.service;
}

/** The folders of packages that depend on the package of a folder, also through others. */
function listDependents(units: readonly NodeUnit[]): (folder: string) => readonly string[] {
  const folderOf = new Map(units.map(({ name, folder }) => [name, folder]));
  const directly = (folder: string): readonly string[] =>
    units
      .filter(({ dependencies }) => [...dependencies.keys()].some((name) => folderOf.get(name) === folder))
      .map((unit) => unit.folder);
  return (folder) => {
    const found = new Set<string>();
    const waiting = [...directly(folder)];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      waiting.push(...directly(next));
    }
    return [...found];
  };
}
