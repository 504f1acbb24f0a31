import { quantile } from '../quantile.ts';
import { isGood, type Run, type RunDone } from './run.ts';
import { serviceNames } from './stack.ts';

/** All runs of one fault, or the reason why there are none. */
export interface Row {
  readonly fault: string;
  readonly runs: readonly Run[];
  /** Number of requested runs. */
  readonly wanted: number;
  /** Why the fault was not run, or null. */
  readonly skipped: string | null;
}

const shownDiscrepancies = 5;
const columns = [
  'fault',
  'runs',
  'requests',
  'answered',
  'expected',
  'found',
  'lost',
  'doubled',
  'wrong',
  'drain s (min/median/max)',
  'said dropped',
  'peak MiB (A/B/Collector/Jaeger)',
] as const;

/** Whether every run that was made is good, and the stack recovered from each fault. */
export function isRowClean({ runs }: Row): boolean {
  return runs.every((run) => (isDone(run) ? isGood(run) : run.isRecovered));
}

/** Whether all requested runs were made. Runs that could not be made do not count; the report names them. */
export function isRowWhole({ runs, wanted }: Row): boolean {
  return runs.filter(isDone).length >= wanted;
}

/** The table, and the problems below it. */
export function renderTable(rows: readonly Row[]): string {
  const cells = [columns, ...rows.filter(({ skipped }) => skipped === null).map(toCells)];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const table = cells.map((row) =>
    row
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  '),
  );
  return [...table, '', ...rows.flatMap(describeRow), ''].join('\n');
}

export function renderTableJson(rows: readonly Row[]): string {
  const document = { version: 1, clean: rows.every(isRowClean), whole: rows.every(isRowWhole), rows };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** One line for each run, printed when the run ends. */
export function describeRun(run: Run): string {
  if (!isDone(run)) return `${run.fault}: ${run.isRecovered ? 'NOT RUN' : 'NOT RECOVERED'}: ${run.reason}`;
  const { account, drainSeconds, accidents } = run;
  const counts = `${account.requests} requests, ${account.expected} spans, ${account.found} found`;
  const said = run.reachesBound ? ` and said (${run.said.dropped})` : '';
  const bad = `${account.lost.length} lost${said}, ${account.duplicated.length} doubled, ${account.wrong.length} wrong`;
  return `${run.fault}: ${counts}, ${bad}, drained in ${drainSeconds.toFixed(1)} s${accidents.map((said) => `; ${said}`).join('')}`;
}

function toCells({ fault, runs }: Row): readonly string[] {
  const done = runs.filter(isDone);
  const sum = (count: (run: RunDone) => number) => String(done.reduce((total, run) => total + count(run), 0));
  return [
    fault,
    done.length === runs.length ? String(runs.length) : `${done.length} of ${runs.length}`,
    sum(({ account }) => account.requests),
    sum(({ account }) => account.answered),
    sum(({ account }) => account.expected),
    sum(({ account }) => account.found),
    sum(({ account }) => account.lost.length),
    sum(({ account }) => account.duplicated.length),
    sum(({ account }) => account.wrong.length),
    summarize(done.map(({ drainSeconds }) => drainSeconds)),
    sum(({ said }) => said.dropped),
    serviceNames
      .map((name) => Math.ceil(Math.max(0, ...done.map(({ peakMemory }) => peakMemory[name]))))
      .join('/'),
  ];
}

/** Minimum, median and maximum. */
export function summarize(seconds: readonly number[]): string {
  if (seconds.length === 0) return '-';
  return [0, 0.5, 1].map((share) => quantile(seconds, share).toFixed(1)).join('/');
}

function describeRow({ fault, runs, skipped }: Row): readonly string[] {
  if (skipped !== null) return [`- ${fault} was not run: ${skipped}`];
  return runs.flatMap((run, index) => {
    const where = `${fault}, run ${index + 1}`;
    if (!isDone(run))
      return run.isRecovered
        ? [`- ${where} could not be made: ${run.reason}`]
        : [`✗ ${where}`, `    the stack did not come back: ${run.reason}`];
    const { lost, duplicated, wrong } = run.account;
    const groups = [
      ['lost', lost],
      ['doubled', duplicated],
      ['wrong', wrong],
    ] as const;
    if (isGood(run)) return [];
    const lines = [
      ...run.accidents,
      ...(run.said.queued > 0
        ? [`${run.said.queued} spans or requests still wait in the services and the Collector`]
        : []),
      ...run.said.unread.map((service) => `the counters of ${service} cannot be read`),
      ...(run.reachesBound || lost.length !== run.said.dropped
        ? [`${lost.length} lost, and the stack says that it dropped ${run.said.dropped}`]
        : []),
      ...groups.flatMap(([what, all]) => [
        ...all
          .slice(0, shownDiscrepancies)
          .map(({ traceId, says }) => `${what}: ${says}${traceId === null ? '' : ` (trace ${traceId})`}`),
        ...(all.length > shownDiscrepancies ? [`${what}: ${all.length - shownDiscrepancies} more`] : []),
      ]),
      ...(run.account.ok === 0 ? ['no request was answered with 200: the run proves nothing'] : []),
    ];
    const counters = Object.entries(run.said.counters).map(
      ([name, value]) => `the stack says: ${name} ${value}`,
    );
    return [`✗ ${where}`, ...[...lines, ...counters].map((line) => `    ${line}`)];
  });
}

function isDone(run: Run): run is RunDone {
  return 'account' in run;
}
