import type { Setting } from './environment.ts';
import type { ProjectFile } from './project-file.ts';

/** Reads the lines `NAME=value` of an env file. Source: Compose specification, "env_file format". */
export function readEnvFile({ path, text }: ProjectFile): ReadonlyMap<string, Setting> {
  const variables = new Map<string, Setting>();
  for (const [index, line] of text.split('\n').entries()) {
    const [, name, value = ''] = /^\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const quoted = /^(["'])(.*)\1/.exec(value)?.[2] ?? value.replace(/\s+#.*$/, '');
    variables.set(name, { value: quoted, place: { path, line: index + 1, column: line.indexOf(name) + 1 } });
  }
  return variables;
}
