import type { DoctorCheck, Observation } from '../check.ts';
import { propagatorFormats } from '../otel-names.ts';
import type { Project, YamlFile } from '../project.ts';
import type { YamlValue } from '../yaml-value.ts';

export const configPropagator: DoctorCheck = {
  id: 'config-propagator',
  severity: 'error',
  title: 'The declarative configuration has no propagator',
  why: 'Beside a file (OTEL_CONFIG_FILE) OTEL_PROPAGATORS is not read, and a file without `propagator` means none: no header is sent or read. Unknown keys are refused, or silently left out.',
  fix: 'Add the section `propagator` with `composite` (a list of one-key maps) or `composite_list` (names in one text).',
  example: {
    language: 'yaml',
    text: 'file_format: "1.0"\npropagator:\n  composite:\n    - tracecontext:\n    - baggage:',
  },
  leadsTo: ['header-not-sent', 'header-ignored'],
  find: (project) => project.yaml.filter((file) => isConfiguration(file, project)).flatMap(judge),
};

/** Whether the file is an OpenTelemetry configuration. Other tools have files with `file_format` too, but without these sections. */
function isConfiguration({ root }: YamlFile, { mentions }: Project): boolean {
  if (root.get('file_format') === null) return false;
  const hasTraces = root.get('tracer_provider') !== null;
  return hasTraces || (root.get('propagator') !== null && mentions(/OTEL_(?:EXPERIMENTAL_)?CONFIG_FILE/));
}

/** Source: opentelemetry-configuration, `schema/propagator.yaml` of 1.0. */
function judge({ root, path }: YamlFile): readonly Observation[] {
  const propagator = root.get('propagator');
  if (propagator === null) {
    const wrong = root.entries().find(([key]) => /^propagators$|^text_?map_?propagators?$/i.test(key));
    return [
      wrong === undefined
        ? {
            place: root.get('file_format')?.place ?? { path, line: 1, column: 1 },
            says: 'there is no section `propagator`',
          }
        : { place: wrong[1].place, says: `the section is called \`propagator\`, not \`${wrong[0]}\`` },
    ];
  }
  const composite = propagator.get('composite');
  const list = propagator.get('composite_list');
  if (composite === null && list === null) {
    const [key] = propagator.entries()[0] ?? [];
    return [
      {
        place: propagator.place,
        says:
          key === undefined
            ? 'the section `propagator` is empty'
            : `\`propagator\` has \`${key}\`, and neither \`composite\` nor \`composite_list\``,
      },
    ];
  }
  if (composite !== null && !composite.isList)
    return [
      { place: composite.place, says: '`composite` is no list; names in one text go into `composite_list`' },
    ];
  const bare = /^1\./.test(root.get('file_format')?.text ?? '')
    ? composite?.items().find((item) => item.text !== null)
    : undefined;
  if (bare !== undefined)
    return [{ place: bare.place, says: `an entry of \`composite\` is a map: \`- ${bare.text}:\`` }];
  return judgeNames([
    ...(composite?.items() ?? []).map((item) => ({ name: nameOf(item), place: item.place })),
    ...(list?.text ?? '')
      .split(',')
      .map((name) => ({ name: name.trim(), place: list?.place ?? propagator.place })),
  ]);
}

function judgeNames(names: readonly { readonly name: string; readonly place: YamlValue['place'] }[]) {
  const written = names.filter(({ name }) => name !== '' && !/[${]/.test(name));
  const [first] = written;
  const carries = written.some(
    ({ name }) => !propagatorFormats.has(name) || propagatorFormats.get(name) !== null,
  );
  if (first === undefined || carries) return [];
  return [{ place: first.place, says: `${first.name} alone carries no trace` }];
}

/** An entry is a map with one key; release candidates of the schema had only the name. */
function nameOf(item: YamlValue): string {
  return item.text ?? item.entries()[0]?.[0] ?? '';
}
