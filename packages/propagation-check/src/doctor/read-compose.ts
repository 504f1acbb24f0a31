import { dirname, join } from 'node:path/posix';
import type { Environment, Setting } from './environment.ts';
import { readResourceName } from './otel-names.ts';
import type { YamlValue } from './yaml-value.ts';

/** Reads other files of the project that a Compose file names. */
interface NearbyFiles {
  readonly envFile: (path: string) => ReadonlyMap<string, Setting> | null;
  readonly dockerfile: (path: string) => Environment | null;
}

/** The services of a Compose file. Source: Compose specification, "services". */
export function readCompose(root: YamlValue, path: string, nearby: NearbyFiles): readonly Environment[] {
  const services = root.get('services')?.entries() ?? [];
  return services.map(([name, service]) => {
    const built = findBuilt(service, path, nearby);
    const variables = new Map([
      ...(built?.variables ?? []),
      ...listEnvFiles(service, path).flatMap((file) => [...(nearby.envFile(file) ?? [])]),
      ...readEnvironment(service.get('environment')),
    ]);
    return {
      service: readResourceName(variables) ?? name,
      system: path,
      kind: 'compose',
      place: service.place,
      variables,
      image: built?.image ?? service.get('image')?.text ?? null,
      folder: built?.folder ?? null,
      command: readCommand(service) ?? built?.command ?? null,
      isInjected: false,
    };
  });
}

/** Reads a map, or a list of `NAME=value`. A name alone takes its value from the shell, which is not known. */
function readEnvironment(environment: YamlValue | null): ReadonlyMap<string, Setting> {
  const variables = new Map<string, Setting>();
  for (const [name, value] of environment?.entries() ?? [])
    if (value.text !== null) variables.set(name, { value: value.text, place: value.place });
  for (const item of environment?.items() ?? []) {
    const [name = '', ...rest] = (item.text ?? '').split('=');
    if (rest.length > 0) variables.set(name.trim(), { value: rest.join('='), place: item.place });
  }
  return variables;
}

function listEnvFiles(service: YamlValue, path: string): readonly string[] {
  const named = service.get('env_file');
  if (named === null) return [];
  const texts = named.isList
    ? named.items().map((item) => item.text ?? item.get('path')?.text ?? null)
    : [named.text];
  return texts.flatMap((text) => (text === null ? [] : [join(dirname(path), text)]));
}

function readCommand(service: YamlValue): Setting | null {
  const parts = [service.get('entrypoint'), service.get('command')].flatMap((value) => value ?? []);
  const [first] = parts;
  if (first === undefined) return null;
  const words = parts.flatMap((value) =>
    value.isList ? value.items().map((item) => item.text) : [value.text],
  );
  return { value: words.filter((word) => word !== null).join(' '), place: first.place };
}

function findBuilt(service: YamlValue, path: string, { dockerfile }: NearbyFiles): Environment | null {
  const build = service.get('build');
  if (build === null) return null;
  const context = join(dirname(path), build.text ?? build.get('context')?.text ?? '.');
  const file = build.get('dockerfile')?.text ?? 'Dockerfile';
  const found = dockerfile(join(context, file)) ?? dockerfile(join(dirname(path), file));
  return found === null ? null : { ...found, folder: context };
}
