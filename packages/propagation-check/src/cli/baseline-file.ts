import { describeFixed } from '../collect/describe-fixed.ts';
import { withDoubt } from '../collect/judge.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { readSettings } from '../source/read-whole-file.ts';
import { replaceFile, tryReplaceFile } from '../source/replace-file.ts';
import { applyBaseline, type Baseline, updateBaseline } from '../verdict/apply-baseline.ts';
import type { Result } from '../verdict/result.ts';
import type { CheckArguments } from './common-options.ts';
import { findOtherContent } from './find-other-content.ts';
import { checkFolder } from './parse-report.ts';
import { UsageError } from './usage-error.ts';

/**
 * @returns null where no baseline is named. With `--update-baseline` the file may be empty or missing.
 * @throws {UsageError} with all faults of the file.
 */
export async function readBaselineFile({
  baseline: path,
  updateBaseline,
}: CheckArguments): Promise<Baseline | null> {
  if (path === undefined) {
    if (updateBaseline !== true) return null;
    throw new UsageError('--update-baseline: name the file that it writes, --baseline known.yaml');
  }
  const name = quotePath(path);
  const text = await readSettings(path).catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing || updateBaseline !== true) {
      const advice = isMissing ? '; --update-baseline writes it' : '';
      throw new UsageError(`--baseline ${name}: ${describeFileError(error)}${advice}`);
    }
    checkFolder('--baseline ', path);
    return null;
  });
  if (updateBaseline === true)
    await tryReplaceFile(path).catch((error: unknown) => {
      throw new UsageError(`--baseline ${name} cannot be written: ${describeFileError(error)}`);
    });
  if (text === null) return [];
  if (text.replace(/#.*/g, '').trim() === '') {
    if (updateBaseline === true) return [];
    throw new UsageError(`--baseline ${name}: empty; write "known: []", or let --update-baseline write it`);
  }
  const { BaselineError, readBaseline } = await import('../config/read-baseline.ts');
  try {
    return readBaseline(text);
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    const other = await findOtherContent(text, '--baseline');
    throw new UsageError(`--baseline ${name}:${other === null ? error.message : ` ${other}`}`);
  }
}

/** A result before its baseline is updated. */
interface Unsettled {
  readonly result: Result;
  readonly isDoubtful?: boolean;
  /** Misspelt services of the expectation: a baseline would accept their missing edges for good. */
  readonly listMisspelt?: () => readonly string[];
}

/** A result against its baseline. */
export interface Settled {
  readonly result: Result;
  readonly notes: readonly string[];
  /** Why the baseline could not be written, or null. */
  readonly failure: string | null;
}

/**
 * Notes entries of the baseline that no longer occur, or with `--update-baseline` writes a baseline that accepts the result.
 *
 * @param isDoubtful Traces are missing or requests failed. Then no entry counts as repaired, and no baseline is written.
 */
export async function settleBaseline(
  { result, isDoubtful = false, listMisspelt = () => [] }: Unsettled,
  before: Baseline,
  args: Pick<CheckArguments, 'baseline' | 'updateBaseline' | 'failOn'>,
): Promise<Settled> {
  const path = args.baseline ?? '';
  if (args.updateBaseline !== true) {
    const notes = isDoubtful ? [] : describeFixed(result, before, quotePath(path));
    return { result, notes, failure: null };
  }
  const [slip] = listMisspelt();
  if (slip !== undefined) {
    const failure = `--update-baseline: an expected service has no span, ${slip} ${quotePath(path)} stays as it is`;
    return { result, notes: [], failure };
  }
  const after = updateBaseline(result, before, args.failOn);
  const accepted = withDoubt(applyBaseline(result, after), isDoubtful);
  if (accepted.verdict === 'unknown') {
    const reason = isDoubtful ? 'traces are missing or requests failed' : 'there is no verdict';
    const failure = `--update-baseline: ${reason}, so that ${quotePath(path)} stays as it is`;
    return { result, notes: [], failure };
  }
  try {
    await writeBaseline(path, after);
  } catch (error) {
    const failure = `--baseline ${quotePath(path)} cannot be written: ${describeFileError(error)}`;
    return { result, notes: [], failure };
  }
  const added = after.filter((entry) => !before.includes(entry)).length;
  const removed = before.filter((entry) => !after.includes(entry)).length;
  const note = `${quotePath(path)} is written: ${after.length} known, of these ${added} new; ${removed} removed`;
  return { result: accepted, notes: [note], failure: null };
}

async function writeBaseline(path: string, baseline: Baseline): Promise<void> {
  const { renderBaseline } = await import('../config/read-baseline.ts');
  await replaceFile(path, renderBaseline(baseline));
}
