import { listContradictions } from '../expect/list-contradictions.ts';
import { type Fault, type Path, type Place, readYaml } from '../expect/read-yaml.ts';
import { configurationShape } from './configuration-shape.ts';

/** A valid setting of a configuration file. */
export interface Setting {
  /** `wait`, `run.url`. */
  readonly key: string;
  readonly value: unknown;
  readonly place: Place;
  readonly path: Path;
}

export interface Configuration {
  readonly settings: readonly Setting[];
  readonly faults: readonly Fault[];
}

/** Sections with the settings of one command, named like the command. */
const sections: readonly string[] = ['run', 'audit'];

/** Reads a configuration file (YAML 1.2 or JSON), as `configuration.schema.json` describes it. Invalid settings are reported and left out. */
export function readConfiguration(text: string): Configuration {
  const { written, faults: ofShape, placeOf } = readYaml(text, configurationShape);
  const expectations = listEntries(written).find(([key]) => key === 'expectations')?.[1];
  const faults = [...ofShape, ...listContradictions(expectations, placeOf, ['expectations'])];
  const entries = listEntries(written).flatMap(([key, value]): readonly (readonly [Path, unknown])[] =>
    sections.includes(key)
      ? listEntries(value).map(([inner, own]) => [[key, inner], own] as const)
      : [[[key], value]],
  );
  const isFaulty = (path: Path) =>
    faults.some(({ path: other }) => path.every((key, index) => other[index] === key));
  const settings = entries
    .filter(([path]) => !isFaulty(path))
    .map(([path, value]) => ({ key: path.join('.'), value, place: placeOf(path), path }));
  return { settings, faults };
}

function listEntries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
