import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { quotePath } from '../source/file-error.ts';
import { pathOfFileSpec } from '../source/parse-source-spec.ts';
import type { AuditArguments } from './audit-arguments.ts';
import type { CheckArguments, SourceArguments } from './common-options.ts';
import { UsageError } from './usage-error.ts';

type Arguments = CheckArguments &
  Partial<Pick<SourceArguments, 'save' | 'source'>> &
  Pick<Partial<AuditArguments>, 'state'>;

/**
 * Refuses report files that would overwrite each other or an input of the check. Call it before anything is read.
 *
 * @param paths The files of spans.
 * @throws {UsageError} that names the file.
 */
export function checkReportFiles(args: Arguments, paths: readonly string[]): void {
  const { report = [], json = false } = args;
  const other = report.find(({ name, path }) => path === null && name !== 'json');
  if (json && other !== undefined)
    throw new UsageError(
      `--json and --report ${other.name} would both be printed; write one into a file: --report json=FILE`,
    );
  const read = [...paths, ...listInputs(args)].filter((path) => path !== '-');
  const taken = new Set(read.map(identifyFile));
  for (const { option, path } of listOutputs(args)) {
    const file = identifyFile(path);
    if (taken.has(file))
      throw new UsageError(
        `${option}: ${quotePath(path)} has another use in this command; name another file`,
      );
    if (option !== '--state' && isSinkState(path))
      throw new UsageError(
        `${option}: ${quotePath(path)} holds the counters of propagation-check sink (--state); name another file`,
      );
    // Several outputs may go to one terminal or to `/dev/null`.
    if (!isDevice(path)) taken.add(file);
  }
}

/** The files that the check reads. With `--update-baseline` the baseline counts as an output. */
function listInputs(args: Arguments): readonly string[] {
  const { wire = [], expectations, baseline, updateBaseline, configFile, ca, source } = args;
  const stored = source === undefined ? null : pathOfFileSpec(source);
  const known = updateBaseline === true ? undefined : baseline;
  return [...wire, ...[expectations, known, configFile, ca, stored].flatMap((path) => path ?? [])];
}

interface OutputFile {
  readonly option: string;
  readonly path: string;
}

function listOutputs(args: Arguments): readonly OutputFile[] {
  const { report = [], save, state, baseline, updateBaseline } = args;
  return [
    ...(baseline === undefined || updateBaseline !== true ? [] : [{ option: '--baseline', path: baseline }]),
    ...(state === undefined ? [] : [{ option: '--state', path: state }]),
    ...(save === undefined ? [] : [{ option: '--save', path: save }]),
    ...report.flatMap(({ name, path }) => (path === null ? [] : [{ option: `--report ${name}`, path }])),
  ];
}

/** An identity of the file that does not depend on the path: links and relative paths give the same. */
export function identifyFile(path: string): string {
  const found = findFile(path);
  return found === null ? resolve(path) : `${found.dev} ${found.ino}`;
}

/** The first bytes of a snapshot that `writeSnapshot` wrote: a report must not overwrite the counters of a sink. */
const sinkState = /^\{"version":\d+,"savedAt":"/;
const startLength = 64;

export function isSinkState(path: string): boolean {
  return beginsAs(path, sinkState);
}

/** The first characters of reports and of the state of `audit`, as this tool writes them. */
const ownReport =
  /^(?:\{\s*"(?:kind": ?"audit|version": ?\d+,\s*"verdict)|<\?xml|<!doctype html|## Trace context propagation)/;

/** Whether the file is a report of this tool, which holds no spans and may be overwritten. */
export function isOwnReport(path: string): boolean {
  return beginsAs(path, ownReport);
}

function beginsAs(path: string, pattern: RegExp): boolean {
  if (findFile(path)?.isFile() !== true) return false;
  const start = Buffer.alloc(startLength);
  try {
    const file = openSync(path, 'r');
    try {
      return pattern.test(start.toString('latin1', 0, readSync(file, start)));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

function isDevice(path: string): boolean {
  return findFile(path)?.isCharacterDevice() === true;
}

/** @returns null where the file is missing or cannot be read: the command that reads or writes it reports why. */
function findFile(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
