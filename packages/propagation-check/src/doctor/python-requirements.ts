import { dirname } from 'node:path/posix';
import { type Place, placeAt } from './place.ts';
import type { Project } from './project.ts';
import type { ProjectFile } from './project-file.ts';

interface PythonRequirement {
  /** Normalised as on PyPI: in lower case, with `-`. */
  readonly name: string;
  readonly place: Place;
}

/** The requirements of all manifests in one folder. */
export interface PythonProgram {
  readonly folder: string;
  readonly requirements: readonly PythonRequirement[];
}

export function listPythonPrograms({ ofKind }: Project): readonly PythonProgram[] {
  const folders = new Map<string, PythonRequirement[]>();
  for (const file of ofKind('requirements')) {
    const folder = dirname(file.path).replace(/(?:^|\/)requirements$/, '') || '.';
    folders.set(folder, [...(folders.get(folder) ?? []), ...listRequirements(file)]);
  }
  return [...folders].map(([folder, requirements]) => ({ folder, requirements }));
}

/** Whether a vendor's distribution is required, which may add instrumentations and propagators. */
export function hasVendorDistribution({ requirements }: PythonProgram): boolean {
  return requirements.some(({ name }) =>
    /openinference|logfire|traceloop|ddtrace|sentry-sdk|azure-monitor|splunk-opentelemetry|elastic-opentelemetry|aws-opentelemetry/.test(
      name,
    ),
  );
}

/** Reads the names in requirements files, and in lists and keys of pyproject.toml and Pipfile. */
function listRequirements(file: ProjectFile): readonly PythonRequirement[] {
  const isList = /\.(?:txt|in)$/.test(file.path);
  const form = isList
    ? /^[ \t]*([A-Za-z][\w.-]*)(?=\s*(?:\[|[=<>~!;@#]|$))/gm
    : /["']([A-Za-z][\w.-]*)\s*(?:\[[^\]"']*\])?\s*(?:[=<>~!;][^"'\n]*)?["']|^([A-Za-z][\w.-]*)\s*=\s*[{"']/gm;
  return [...file.text.matchAll(form)].flatMap((match) => {
    const name = match[1] ?? match[2];
    return name === undefined
      ? []
      : [
          {
            name: name.toLowerCase().replace(/[._]/g, '-'),
            place: placeAt(file, match.index + match[0].indexOf(name)),
          },
        ];
  });
}
