import { type CheckedSpans, checkReceived } from '../collect/check-received.ts';
import { describeFixed } from '../collect/describe-fixed.ts';
import { describeStore } from '../collect/describe-store.ts';
import { explainNothingToJudge } from '../collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { type CheckInputs, judge } from '../collect/judge.ts';
import { type ExpectedEdge, noExpectation } from '../expect/expectation.ts';
import { readExpectedPath } from '../expect/read-expected-path.ts';
import { renderTerminal } from '../report/terminal.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import { storeOf } from '../span/span-writer.ts';
import { omitUndefined } from '../util/omit-undefined.ts';
import { decideOutcome, decideVerdict, isAccepted, type Outcome } from '../verdict/decide-verdict.ts';
import type { Result } from '../verdict/result.ts';
import { type CheckSettings, checkArguments, checkPathArgument, type Spans } from './check-settings.ts';

/** A result and its text for people. */
export interface Checked {
  readonly result: Result;
  /** Corresponds to the exit code of the command line: `failed` also for warnings where `failOn` is `warning`. */
  readonly outcome: Outcome;
  /** Why the verdict is `unknown`; otherwise null. */
  readonly reason: string | null;
  /** The text that the command line prints, without colours. */
  readonly explanation: string;
}

const defaults = { waitMs: 10_000, settleMs: 2_000 } as const;
const explanationWidth = 100;

/**
 * Checks everything that a receiver has got, or these spans. Like the command `run`, it waits for a receiver only while more spans can
 * change the verdict.
 *
 * @throws {ExpectationError} when `expect` is not a path. @throws {TypeError} when a setting is unknown or has a wrong type.
 * @throws {RangeError} when a time is not a valid number. @throws {SourceError} when the receiver is closed.
 */
export async function check(from: Spans, settings: CheckSettings = {}): Promise<Checked> {
  const { result, details } = await checkSpans(from, settings);
  return explain(result, details, settings);
}

/** As `check`, for the expected path alone: breaks of other edges are not reported. */
export async function checkPath(from: Spans, path: string, settings: CheckSettings = {}): Promise<Checked> {
  checkPathArgument(path);
  const { result, details } = await checkSpans(from, { ...settings, expect: path });
  return explain(narrow(result, readExpectedPath(path)), details, settings);
}

function explain(
  result: Result,
  checked: CheckedSpans['details'],
  { baseline = [], failOn = 'error' }: CheckSettings,
): Checked {
  const layout = { width: explanationWidth, color: false, docsRoot: findDocsRoot() };
  const details = {
    ...checked,
    notes: [...checked.notes, ...describeFixed(result, baseline, 'the baseline')],
    ...(failOn === 'warning' ? { failOn } : {}),
  };
  const explanation = renderTerminal(result, details, layout);
  return { result, outcome: decideOutcome(result, failOn), reason: details.reason, explanation };
}

async function checkSpans(from: Spans, settings: CheckSettings): Promise<Omit<CheckedSpans, 'store'>> {
  checkArguments(from, settings);
  const { expect = [], expectation: rest = noExpectation } = settings;
  const signal = adoptSignal(settings.signal ?? new AbortController().signal);
  const { waitMs, settleMs } = { ...defaults, ...omitUndefined(settings) };
  const paths = typeof expect === 'string' ? [expect] : expect;
  const inputs: CheckInputs = {
    expectation: { ...rest, edges: [...paths.flatMap(readExpectedPath), ...rest.edges] },
    wire: [],
    ...(settings.baseline === undefined ? {} : { baseline: settings.baseline }),
  };
  if ('readAll' in from) {
    const explainSilence = () => ({
      reason:
        'start the services with the `env` of the receiver, and with an SDK: propagation-check exec --help shows how',
      advice: [],
    });
    return checkReceived({
      ...{ source: from, readInputs: async () => inputs, explainSilence },
      ...{ waitMs, settleMs, signal },
    });
  }
  const isSilent = from.length === 0;
  const store = storeOf(from);
  const { result } = judge(store, isSilent ? { ...inputs, expectation: noExpectation } : inputs);
  const services = from.map(({ serviceName }) => serviceName);
  const reason = isSilent
    ? 'there are no spans: read them after the requests have ended and their exporters were flushed'
    : result.verdict === 'unknown'
      ? explainNothingToJudge(result, services, inputs.expectation)
      : null;
  const notes = [...describeStore(store), ...hintAtExpectations(result, services, inputs.expectation)];
  return { result, details: { source: 'these spans', reason, notes, collector: null }, spans: from };
}

/** Node.js functions refuse an AbortSignal of another realm, such as that of jsdom. */
function adoptSignal(signal: Pick<AbortSignal, 'aborted' | 'reason' | 'addEventListener'>): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return own.signal;
}

/** Keeps the findings and edges of the path. An unknown service of a finding may be the one of the path. */
function narrow(result: Result, path: readonly ExpectedEdge[]): Result {
  const isOnPath = ({ client, server }: { readonly client: string | null; readonly server: string | null }) =>
    path.some((edge) => (client ?? edge.client) === edge.client && (server ?? edge.server) === edge.server);
  const findings = result.findings.filter(isOnPath);
  const onPath = result.edges.filter(isOnPath);
  // A path through a gateway has no edge from the first to the last service: all intact edges stay.
  const edges = onPath.length > 0 ? onPath : result.edges.filter(({ broken }) => broken === 0);
  const { undecided: _, ...rest } = result;
  const undecided = result.undecided?.filter(isOnPath) ?? [];
  const narrowed = { ...rest, findings, edges, ...(undecided.length > 0 ? { undecided } : {}) };
  // Where the only findings of the path are accepted, no call of the path was judged.
  const isJudged = onPath.some(({ calls }) => calls > 0) || !findings.some(isAccepted);
  // Where calls of the path were judged, an undecided edge elsewhere does not change the verdict.
  const isElsewhere = result.undecided !== undefined && onPath.some(({ calls }) => calls > 0);
  return {
    ...narrowed,
    verdict: result.verdict === 'unknown' && !isElsewhere ? 'unknown' : decideVerdict(narrowed, isJudged),
  };
}
