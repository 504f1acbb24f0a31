import { type FindingId, prose } from 'propagation-check';
import {
  escapeText,
  hang,
  type Layout,
  paint,
  renderTraceTrees,
  type Style,
  truncate,
} from 'propagation-check/kit';
import { countStates } from './count-states.ts';
import { listJaegerLinks } from './jaeger-links.ts';
import type { AssertionRun, TraceCheck } from './run.ts';
import type { Statement } from './statement.ts';

export interface TextOptions extends Layout {
  /** Base URL of Jaeger's UI; null without Jaeger. */
  readonly jaegerUi: string | null;
}

const marks = {
  passed: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['–', 'dim'],
} as const satisfies Record<Statement['state'], readonly [string, Style]>;

/** The assertion as text. One trace is shown in full; of several traces the counts are shown, and the first that is not intact in full. */
export function renderAssertionText(run: AssertionRun, options: TextOptions): string {
  const [only, ...others] = run.checks;
  if (only !== undefined && others.length === 0) return `${renderCheck(run, only, options)}\n`;
  const first = run.checks.find((check) => check.verdict === 'broken') ?? run.checks.find(isUnknown);
  const parts = [
    renderSummary(run, options),
    ...(first === undefined
      ? []
      : [`The first trace that is ${first.verdict}:`, renderCheck(run, first, options)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function renderCheck(run: AssertionRun, check: TraceCheck, options: TextOptions): string {
  const shown = check.statements.filter((statement) => isShown(statement, run, check));
  const statements = shown.flatMap((statement) => renderStatement(statement, options));
  const trees = check.spans.length === 0 ? [] : [renderTraceTrees(check.spans, options)];
  const ending = [
    ...renderVerdict(run, check, options),
    ...renderFindings(run, options),
    ...renderLinks(check, options),
  ];
  return [statements.join('\n'), ...trees, ending.join('\n')].join('\n\n');
}

/** Automatic mode has no statement about baggage. Without an answer only the failed statement is shown. */
function isShown(statement: Statement, run: AssertionRun, check: TraceCheck): boolean {
  if (check.answer === null) return statement.state === 'failed';
  return !(run.mode === 'auto' && statement.number === 10);
}

function renderStatement(statement: Statement, layout: Layout): readonly string[] {
  const [mark, style] = marks[statement.state];
  const start = `${paint(layout, style, mark)} ${String(statement.number).padStart(2)} `;
  const title = hang('     ', statement.title, layout).map((line, index) =>
    index === 0 ? start + line.slice(5) : line,
  );
  if (statement.state !== 'failed') {
    return [
      ...title,
      ...hang('     ', escapeText(statement.found), layout).map((line) => paint(layout, 'dim', line)),
    ];
  }
  const where = statement.where.map(({ what, traceId, spanId }) =>
    spanId === null ? `${what} ${traceId}` : `${what} ${spanId} in trace ${traceId}`,
  );
  return [
    ...title,
    ...hang('     expected  ', escapeText(statement.expected), layout),
    ...hang('     found     ', escapeText(statement.found), layout),
    ...(where.length === 0 ? [] : hang('     where     ', escapeText(where.join('; ')), layout)),
  ];
}

function renderVerdict(run: AssertionRun, check: TraceCheck, options: TextOptions): readonly string[] {
  const judged = check.statements.filter((statement) => isShown(statement, run, check));
  const failed = judged.filter((statement) => statement.state === 'failed');
  const took = `${Math.round(check.elapsedMs)} ms`;
  if (check.silence !== null) {
    const { hop, reason } = check.silence;
    return [
      ...hang('NO VERDICT  ', `${hop} stayed silent (${took})`, options).map((line) =>
        paint(options, 'yellow', line),
      ),
      ...hang('because     ', escapeText(reason), options),
      ...(check.answer === null ? [] : hang('trace       ', check.answer.service_a_trace_id, options)),
    ];
  }
  if (check.verdict === 'intact') {
    const says = `${judged.length} of ${judged.length} statements hold (${took})`;
    return [...hang('INTACT     ', says, options).map((line) => paint(options, 'green', line))];
  }
  const [first] = failed;
  const says = `${failed.length} of ${judged.length} statements fail (${took})`;
  return [
    ...hang(`${nameFailure(run)}  `.padEnd('points at  '.length), says, options).map((line) =>
      paint(options, 'red', line),
    ),
    ...(first === undefined
      ? []
      : hang('points at  ', `${first.number} ${first.title}: ${escapeText(first.found)}`, options)),
  ];
}

/** Statements can fail although no call is broken: a service has no name, or the clocks differ. */
function nameFailure({ result }: AssertionRun): string {
  return result === null || result.verdict === 'broken' ? 'BROKEN' : 'FAILED';
}

/** The engine's findings for the same spans, each with its fix. If no call is broken, a warning is the cause of the failed statement. */
function renderFindings({ result }: AssertionRun, layout: Layout): readonly string[] {
  const bySeverity = Object.groupBy(result?.findings ?? [], (finding) => finding.severity);
  return (bySeverity.error ?? bySeverity.warning ?? []).flatMap((finding) => [
    ...hang('cause      ', toCause(finding.id, finding.candidates ?? []), layout),
    ...renderFirstStep(finding.decide ?? [], layout),
    ...hang('fix        ', escapeText(finding.fix), layout),
    ...hang('see        ', escapeText(finding.docs), layout),
  ]);
}

/** The cheapest step that decides between the candidates. Its command stays on one line, so that it can be pasted. */
function renderFirstStep([step]: readonly string[], layout: Layout): readonly string[] {
  if (step === undefined) return [];
  const [text = '', ...commands] = step.split('\n');
  return [
    ...hang('to decide  ', escapeText(text), layout),
    ...commands.map((command) => `           ${escapeText(command)}`),
  ];
}

function toCause(id: FindingId, candidates: readonly FindingId[]): string {
  const cause = `${prose[id].title} (${id})`;
  if (candidates.length === 0) return cause;
  return `${cause}, undecided between ${candidates.join(', ')}`;
}

function renderLinks(check: TraceCheck, { jaegerUi, ...layout }: TextOptions): readonly string[] {
  if (jaegerUi === null) return [];
  return listJaegerLinks(jaegerUi, check).flatMap(({ what, url }) =>
    hang(what === 'trace' ? 'Jaeger     ' : 'neighbours ', url, layout),
  );
}

function renderSummary(run: AssertionRun, layout: Layout): string {
  const count = (verdict: TraceCheck['verdict']) =>
    run.checks.filter((check) => check.verdict === verdict).length;
  const others = (['broken', 'unknown'] as const)
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${verdict}`);
  const headline = [`${count('intact')} of ${run.checks.length} traces intact`, ...others].join(', ');
  const style = run.verdict === 'intact' ? 'green' : run.verdict === 'broken' ? 'red' : 'yellow';
  const counts = countStates(run.checks).filter(({ number }) => run.mode === 'manual' || number !== 10);
  const titleWidth = Math.max(20, layout.width - 30);
  const head = `${'statement'.padEnd(titleWidth + 3)}  passed  failed  skipped`;
  const rows = counts.map(({ number, title, passed, failed, skipped }) => {
    const left = `${String(number).padStart(2)} ${truncate(title, titleWidth).padEnd(titleWidth)}`;
    const row = `${left}  ${String(passed).padStart(6)}  ${String(failed).padStart(6)}  ${String(skipped).padStart(7)}`;
    return failed > 0 ? paint(layout, 'red', row) : row;
  });
  return [paint(layout, style, headline), '', paint(layout, 'dim', head), ...rows].join('\n');
}

function isUnknown(check: TraceCheck): boolean {
  return check.verdict === 'unknown';
}
