import { truncate } from '../report/layout.ts';
import { groupBy } from '../util/group-by.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import type { DoctorFinding } from './check.ts';
import { doctorChecks } from './checks.ts';
import { type FileKind, kindOf } from './files.ts';
import { type Project, parseProject } from './project.ts';
import type { ProjectFile } from './project-file.ts';
import type { Unparsed } from './yaml-value.ts';

/** The result of all checks on a project. */
export interface Diagnosis {
  readonly version: 1;
  /** `broken` when a finding is an error, `unknown` when no check had anything to read; otherwise `clean`, also with warnings. */
  readonly verdict: 'clean' | 'broken' | 'unknown';
  /** Why the verdict is `unknown`; otherwise null. */
  readonly reason: string | null;
  /** How many files of each kind were read. */
  readonly read: Readonly<Partial<Record<FileKind, number>>>;
  readonly checks: number;
  /** Errors first, then by place. */
  readonly findings: readonly DoctorFinding[];
  /** How many findings are accepted by a comment in the project. */
  readonly accepted: number;
  /** Files that were not read, and why. */
  readonly gaps: readonly string[];
}

/** Longer texts are cut: values of variables have any length. */
const longestText = 300;

/** The diagnosis of a project that could not be read. */
export function explainFailure(reason: string): Diagnosis {
  return { ...examine([]), reason };
}

/**
 * Runs every check. Pure: the same files give the same diagnosis.
 * @param folder A prefix for the paths of files that cannot be parsed: empty, or ends with `/`.
 */
export function examine(files: readonly ProjectFile[], gaps: readonly string[] = [], folder = ''): Diagnosis {
  const texts = files.filter(isText);
  const others = files.filter((file) => !isText(file));
  const project = parseProject(texts);
  const read = countKinds(texts);
  const found = doctorChecks.flatMap(({ id, severity, find }) =>
    find(project).map(
      ({ place, says, service = null, apartFrom, isUnsure = false }): DoctorFinding => ({
        id,
        severity: isUnsure ? 'note' : severity,
        ...place,
        service,
        ...(apartFrom === undefined ? {} : { apartFrom }),
        says: truncate(hideSecrets(says), longestText),
      }),
    ),
  );
  const findings = withoutTwins(found.filter((finding) => !isAccepted(finding, texts)));
  const nothing = explainNothing(project, read);
  const missed = nothing === null ? others.filter(({ path }) => written.test(path)) : others;
  const reason = explainFaulty(project, texts, folder) ?? explainOthers(missed) ?? nothing;
  const isBroken = findings.some(({ severity }) => severity === 'error');
  return {
    version: 1,
    verdict: isBroken ? 'broken' : reason === null ? 'clean' : 'unknown',
    reason: isBroken ? null : reason,
    read,
    checks: doctorChecks.length,
    findings: findings.sort(compare),
    accepted: withoutTwins(found).length - findings.length,
    gaps: [
      ...gaps,
      ...others.map(({ path }) => `${path} is no text and was not read`),
      ...describeUnparsed(project, folder),
    ],
  };
}

function countKinds(files: readonly ProjectFile[]): Diagnosis['read'] {
  const counts: Partial<Record<FileKind, number>> = {};
  for (const { path } of files) {
    const kind = kindOf(path);
    if (kind !== null) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

const gateways: readonly FileKind[] = ['nginx', 'haproxy', 'caddy'];
const code: readonly FileKind[] = ['source', 'python', 'go', 'script', 'lock', 'installed'];

/** Files that people write by hand and that are not templates: a syntax error in them is a mistake. */
const written = /(?:^|[/])(?:package[.]json|(?:docker-)?compose[^/]*[.]ya?ml)$/;
/** Marks of Helm, Jinja and ERB templates. */
const template = /[{][{%]|<%/;

/** Whether the file has none of the control characters of programs, archives and UTF-16. Literals in code may have others than NUL. */
function isText({ path, text }: ProjectFile): boolean {
  const kind = kindOf(path);
  const isCode = code.some((each) => each === kind);
  return !(isCode ? /\0/ : /[^\P{Cc}\s\x7f-\x9f]/u).test(text);
}

/** Explains an unknown verdict by binary files: all of them where no text was found, otherwise only those that every such project needs. */
function explainOthers(others: readonly ProjectFile[]): string | null {
  const [first] = others;
  if (first === undefined) return null;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
  return `${first.path}${more} cannot be read as text: binary, encrypted or UTF-16; save it as UTF-8, or name another folder`;
}

/** Explains an unknown verdict by a Compose file or a `package.json` with a syntax error. */
function explainFaulty({ unparsed }: Project, files: readonly ProjectFile[], folder: string): string | null {
  const templates = new Set(files.filter(({ text }) => template.test(text)).map(({ path }) => path));
  const faulty = unparsed.filter(({ path }) => written.test(path) && !templates.has(path));
  const [first] = faulty;
  if (first === undefined) return null;
  const more = faulty.length > 1 ? ` and ${faulty.length - 1} more` : '';
  return `${folder}${nameUnparsed(first)}${more} cannot be parsed; mend the syntax, and check again`;
}

/** Explains an unknown verdict where no check had anything to look at. */
function explainNothing({ ofKind, mentions }: Project, read: Diagnosis['read']): string | null {
  const kinds = Object.keys(read);
  if (!kinds.some((kind) => !code.some((each) => each === kind)))
    return 'found no package.json, requirements, go.mod, build file, Dockerfile, YAML or gateway file; name the folder of a project';
  if (gateways.some((kind) => ofKind(kind).length > 0)) return null;
  return mentions(
    /opentelemetry|\botel|OTEL_|tracer_provider|request_headers_to_remove|customRequestHeaders/i,
  )
    ? null
    : 'nothing in these files names OpenTelemetry, so no check had anything to look at';
}

/** Whether a comment on the line, or on the line before, accepts the finding: `propagation-check-ignore ID`. */
function isAccepted({ id, path, line }: DoctorFinding, files: readonly ProjectFile[]): boolean {
  const lines = files.find((file) => file.path === path)?.text.split('\n') ?? [];
  const mark = new RegExp(`(?:#|//|/\\*).*\\bpropagation-check-ignore\\b.*\\b${id}\\b`);
  return lines.slice(Math.max(0, line - 2), line).some((text) => mark.test(text));
}

/** Removes repeats: a file that two services use is examined twice. */
function withoutTwins(findings: readonly DoctorFinding[]): DoctorFinding[] {
  const alike = groupBy(findings, ({ id, path, line, column }) => `${id} ${path}:${line}:${column}`);
  return alike.map(([first]) => first);
}

const order = { error: 0, warning: 1, note: 2 } as const;

function compare(one: DoctorFinding, other: DoctorFinding): number {
  return (
    order[one.severity] - order[other.severity] ||
    (one.path < other.path ? -1 : one.path > other.path ? 1 : one.line - other.line)
  );
}

const mostNamed = 3;

function nameUnparsed({ path, at }: Unparsed): string {
  return at === null ? path : `${path}:${at.line}:${at.col}`;
}

function describeUnparsed({ unparsed }: Project, folder: string): readonly string[] {
  if (unparsed.length === 0) return [];
  const more = unparsed.length - mostNamed;
  const shown = unparsed.slice(0, mostNamed).map((file) => folder + nameUnparsed(file));
  const names = shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
  return [`not read: ${names} (a template, a syntax error, or another version)`];
}
