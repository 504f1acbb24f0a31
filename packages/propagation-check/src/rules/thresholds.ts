/** The kind of a number: the test moves a count by at least 1, and a share to at most 1. */
type Unit = 'time' | 'count' | 'share' | 'ratio';

/**
 * A number in a condition of a rule, with the reason for it. `pinnedBy` names the drawings in `fixtures/` whose result changes when
 * the number is a quarter lower or higher: `thresholds.test.ts` moves it.
 */
export interface Threshold<Value extends number | bigint = number | bigint> {
  readonly value: Value;
  readonly unit: Unit;
  readonly reason: string;
  readonly pinnedBy: { readonly lower: string; readonly higher: string };
}

/** Times are in nanoseconds. A share is a part of a whole, at most 1. A ratio compares two numbers. */
export const thresholdTable = {
  rounding: {
    value: 1_000_000n,
    unit: 'time',
    reason:
      'Some SDKs start spans at whole milliseconds, so a SERVER span may seem to start this much before its CLIENT span.',
    pinnedBy: { lower: 'split-trace/broken-rounding', higher: 'split-trace/healthy-rounding' },
  },
  jitter: {
    value: 100_000n,
    unit: 'time',
    reason: 'Two processes that read the same clock still differ by this much.',
    pinnedBy: { lower: 'split-trace/broken-jitter', higher: 'split-trace/healthy-jitter' },
  },
  clockTolerance: {
    value: 5_000_000n,
    unit: 'time',
    reason:
      'Clocks of two processes on one machine differ by this much. Used only where nothing fits within `rounding`.',
    pinnedBy: { lower: 'split-trace/broken-clock-tolerance', higher: 'split-trace/healthy-clock-tolerance' },
  },
  sharedTime: {
    value: 0.25,
    unit: 'share',
    reason:
      'Instances whose times overlap for at most this share ran one after the other (a restart, a rollout). The capture cuts off none of them.',
    pinnedBy: { lower: 'missing-server/shown-shared-time', higher: 'missing-server/healthy-shared-time' },
  },
  judgedShare: {
    value: 0.5,
    unit: 'share',
    reason: 'An edge is called whole only if more than this share of its calls could be judged.',
    pinnedBy: { lower: 'missing-server/shown-half', higher: 'missing-server/shown-majority' },
  },
  noticeableSkew: {
    value: 100_000_000n,
    unit: 'time',
    reason: 'People notice a clock difference of this much in a trace.',
    pinnedBy: { lower: 'clock-skew/healthy-noticeable-skew', higher: 'clock-skew/shown-noticeable-skew' },
  },
  fewestLoose: {
    value: 3,
    unit: 'count',
    reason: 'Fewer loose ends do not determine the offset of a clock.',
    pinnedBy: { lower: 'split-trace/broken-fewest-loose-two', higher: 'split-trace/broken-fewest-loose' },
  },
  mostGuessed: {
    value: 200,
    unit: 'count',
    reason:
      'Comparing clocks compares each call with each request. On an edge with more calls, clocks are compared only if an expectation names the edge.',
    pinnedBy: { lower: 'split-trace/shown-most-guessed', higher: 'split-trace/healthy-most-guessed' },
  },
  apartShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'A clock is wrong only if more than this share of the SERVER spans start outside their CLIENT spans.',
    pinnedBy: { lower: 'clock-skew/healthy-apart-share', higher: 'clock-skew/shown-apart-share' },
  },
  alignedShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'One offset must put more than this share of those SERVER spans inside their CLIENT spans. Deferred work starts at its own times, and no single offset fits it.',
    pinnedBy: { lower: 'clock-skew/healthy-aligned-share', higher: 'clock-skew/shown-aligned-share' },
  },
  fewestSteady: {
    value: 10,
    unit: 'count',
    reason:
      'Below this number of pairs, ignore the worst of the five rotations: single rotations of few pairs vary a lot.',
    pinnedBy: { lower: 'split-trace/healthy-fewest-steady', higher: 'missing-call/broken-parallel' },
  },
  chanceOutliers: {
    value: 1,
    unit: 'count',
    reason: 'Below `fewestSteady` pairs, ignore this many of the five rotations.',
    pinnedBy: { lower: 'split-trace/broken-chance-outliers', higher: 'split-trace/healthy-chance-outliers' },
  },
  chanceShare: {
    value: 0.7,
    unit: 'share',
    reason: 'Pairs are evidence only if rotating the spans in time leaves at most this share of them.',
    pinnedBy: {
      lower: 'split-trace/broken-chance-share',
      higher: 'missing-server/broken-split-left-over-expected',
    },
  },
  waitedShare: {
    value: 0.25,
    unit: 'ratio',
    reason: 'A request waited for a call that takes this share of its time. Calls of a timer are short.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fills-request',
      higher: 'context-lost-in-process/broken-fills-request',
    },
  },
  restShare: {
    value: 0.2,
    unit: 'ratio',
    reason: 'A request waited for a call if it ends within this share of its time after the call.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-rest-after-call',
      higher: 'context-lost-in-process/healthy-rest-after-call',
    },
  },
  fewestPrompt: {
    value: 2,
    unit: 'count',
    reason: 'A single call that starts with its request may be a timer that fired at that moment.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fewest-prompt',
      higher: 'context-lost-in-process/broken-usual-delay',
    },
  },
  usualDelay: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'Calls that start with their requests usually start within this share of the duration of the request.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-usual-delay',
      higher: 'context-lost-in-process/healthy-usual-delay',
    },
  },
  longestDelay: {
    value: 0.25,
    unit: 'ratio',
    reason:
      'Calls that start with their requests all start within this share of the duration of the request.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-longest-delay',
      higher: 'context-lost-in-process/healthy-longest-delay',
    },
  },
  restSpread: {
    value: 0.5,
    unit: 'ratio',
    reason:
      'Requests end with their calls if the time from the end of the call to the end of the request varies by less than this share of how much the durations of the requests vary, and not if the durations vary by less than this share of how much the ends of the calls vary.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-ends-follow',
      higher: 'context-lost-in-process/shown-timer-at-the-end',
    },
  },
  steadyRestShare: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'Requests that all take the same time do not show whether they end with their calls. They may, if the time from the end of the call to the end of the request varies by at most this share of their duration.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-steady-rest',
      higher: 'context-lost-in-process/shown-steady-rest',
    },
  },
  startSpread: {
    value: 0.2,
    unit: 'ratio',
    reason:
      'Calls start with their requests if each delay differs from the usual one by less than this share of how much the intervals between requests vary. A timer starts at its own time.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-start-spread',
      higher: 'context-lost-in-process/healthy-start-spread',
    },
  },
  clockTick: {
    value: 1_000_000_000n,
    unit: 'time',
    reason:
      'Schedulers fire at whole seconds, so jobs of two programs can keep step. Other periods coincide only by chance.',
    pinnedBy: {
      lower: 'context-lost-in-process/shown-clock-tick',
      higher: 'context-lost-in-process/shown-clock-tick',
    },
  },
  displacedShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'Nearly all requests that lack the call must contain a detached one. Behind a cache most of them contain none.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-displaced-share',
      higher: 'context-lost-in-process/broken-displaced-share',
    },
  },
  fewestBesideException: {
    value: 6,
    unit: 'count',
    reason:
      'With this many pairs, a single call or request without a partner is an exception: its span ended too early or was lost, or the call failed. Fewer pairs may be a coincidence.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fewest-beside-exception',
      higher: 'context-lost-in-process/broken-ended-early',
    },
  },
  fewestBesideExplained: {
    value: 3,
    unit: 'count',
    reason:
      'With this many pairs, one exception is allowed if the data explain it: a request that needed no call, or a call or request that the capture cuts off. Fewer pairs may be a coincidence.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fewest-beside-explained',
      higher: 'context-lost-in-process/broken-beside-cached',
    },
  },
  displacedLeftOver: {
    value: 1.1,
    unit: 'ratio',
    reason:
      'If calls or requests outnumber the pairs by more than a cut capture explains, the rest belong to a job, a timer or other callers.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-unrouted',
      higher: 'context-lost-in-process/healthy-displaced-left-over',
    },
  },
  containedShare: {
    value: 0.8,
    unit: 'share',
    reason:
      'At least this share of the calls must end within their requests. A process that stalls while it starts a span measures it too short, so a few calls seem to outlive their requests.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-contained-share',
      higher: 'context-lost-in-process/broken-contained-share',
    },
  },
  fewestDisplaced: {
    value: 5,
    unit: 'count',
    reason: 'Fewer pairs may be a coincidence, whatever the rotations show.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-displaced-left-over',
      higher: 'context-lost-in-process/broken-fewest-displaced',
    },
  },
  manyDisplaced: {
    value: 15,
    unit: 'count',
    reason:
      'With this many pairs, equal numbers of requests and calls are no coincidence, even if the requests overlap.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-overlapping',
      higher: 'context-lost-in-process/broken-many-displaced',
    },
  },
  uniqueShare: {
    value: 0.5,
    unit: 'share',
    reason: 'If this share of the pairs fit nothing else, calls and requests correspond one to one.',
    pinnedBy: { lower: 'split-trace/healthy-unique-share', higher: 'split-trace/broken-unique-share' },
  },
  fewestDistinct: {
    value: 2,
    unit: 'count',
    reason: 'One call and one request with the same unusual path may still come from two callers.',
    pinnedBy: { lower: 'split-trace/healthy-fewest-distinct', higher: 'split-trace/broken-fewest-distinct' },
  },
  usualAgentShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'One instrumentation sends one user agent. If this share of the pairs has it, the others are callers from outside.',
    pinnedBy: { lower: 'split-trace/broken-usual-agent-share', higher: 'split-trace/broken-partner' },
  },
  splitCallsShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'Most calls to the target must pair up. Otherwise they may go to a peer that is not instrumented.',
    pinnedBy: {
      lower: 'split-trace/healthy-split-calls-share',
      higher: 'split-trace/broken-split-calls-share',
    },
  },
  splitRequestsShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Most requests of the kind must pair up. Otherwise they may come from other callers.',
    pinnedBy: {
      lower: 'split-trace/healthy-split-requests-share',
      higher: 'split-trace/broken-split-requests-share',
    },
  },
  everyCallShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'If the edge is whole by another way, nearly every call must pair up: a third party with the same paths looks alike, and deferred requests fall within other calls by chance.',
    pinnedBy: {
      lower: 'split-trace/healthy-every-call-share',
      higher: 'split-trace/broken-every-call-share',
    },
  },
  passedOnShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'If only the expectation says that the caller passes requests on, most requests of the server must be passed on.',
    pinnedBy: { lower: 'missing-call/broken-passed-on-share', higher: 'split-trace/broken-passed-on-share' },
  },
  splitLeftOverExpected: {
    value: 1.2,
    unit: 'ratio',
    reason: 'An expectation supports the pairs, so more calls or requests may be left over.',
    pinnedBy: {
      lower: 'split-trace/broken-split-left-over-expected',
      higher: 'missing-server/broken-split-left-over-expected',
    },
  },
  timeOnlyShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Pairs that agree in nothing but time must be this share of the calls to the target.',
    pinnedBy: {
      lower: 'missing-server/broken-time-only-share',
      higher: 'split-trace/broken-time-only-share',
    },
  },
  fewestTimeOnly: {
    value: 3,
    unit: 'count',
    reason: 'On an edge with whole calls, fewer pairs that agree in nothing but time may be a coincidence.',
    pinnedBy: {
      lower: 'split-trace/healthy-fewest-time-only',
      higher: 'split-trace/broken-fewest-time-only',
    },
  },
  fewestPartlySplit: {
    value: 3,
    unit: 'count',
    reason: 'Fewer roots inside requests that lack the call may be callers from outside.',
    pinnedBy: {
      lower: 'split-trace/healthy-fewest-partly-split',
      higher: 'split-trace/broken-partly-by-hand',
    },
  },
  splitByTimeShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'Roots that fit this share of the unanswered calls by time are their other side, even without a span kind.',
    pinnedBy: {
      lower: 'missing-server/shown-split-by-time-share',
      higher: 'split-trace/shown-split-by-time-share',
    },
  },
  cachedDuration: {
    value: 0.5,
    unit: 'ratio',
    reason: 'A cache answers in at most this share of the time that the called service takes.',
    pinnedBy: {
      lower: 'missing-server/healthy-cached-duration',
      higher: 'missing-server/shown-cached-duration',
    },
  },
  quickestAnswers: {
    value: 0.1,
    unit: 'share',
    reason:
      'Lost calls have ordinary durations. Cached calls are usually faster than all but this share of the whole calls.',
    pinnedBy: {
      lower: 'missing-server/healthy-quickest-answers',
      higher: 'missing-server/shown-quickest-answers',
    },
  },
  fewestCached: {
    value: 3,
    unit: 'count',
    reason: 'With fewer calls without a SERVER span, it may be chance that they are fast.',
    pinnedBy: {
      lower: 'missing-server/shown-fewest-cached',
      higher: 'missing-server/healthy-quickest-answers',
    },
  },
  strayRequestsShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'If the service has this many requests of unknown callers, those requests are the other side of the calls.',
    pinnedBy: {
      lower: 'missing-server/broken-stray-requests-share',
      higher: 'missing-call/broken-stray-requests-share',
    },
  },
  insidersShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'Roots of programs that call only this service are judged separately if they are at least this share of the roots.',
    pinnedBy: {
      lower: 'missing-call/broken-insiders-share',
      higher: 'client-not-instrumented/broken-insiders-share',
    },
  },
  missingCallShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Most roots must have started during a request of the caller.',
    pinnedBy: {
      lower: 'missing-call/broken-missing-call-share',
      higher: 'client-not-instrumented/broken-missing-call-share',
    },
  },
  mostRootsCompared: {
    value: 40,
    unit: 'count',
    reason: 'Most services without a caller are called from outside, and their first requests show it.',
    pinnedBy: {
      lower: 'missing-call/healthy-most-roots-compared',
      higher: 'missing-call/shown-most-roots-compared',
    },
  },
  mostPossibleCallers: {
    value: 5,
    unit: 'count',
    reason:
      'Services that begin in step enclose each other: if requests of more services than this enclose those of a service, times do not show its caller.',
    pinnedBy: {
      lower: 'missing-call/shown-most-possible-callers',
      higher: 'missing-call/healthy-most-possible-callers',
    },
  },
  everyRequestShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'Nearly every request must have its root or message. The rest is lost where the capture begins or ends.',
    pinnedBy: {
      lower: 'client-not-instrumented/broken-between',
      higher: 'client-not-instrumented/broken-every-request-share',
    },
  },
  fewestUnique: {
    value: 2,
    unit: 'count',
    reason: 'A single root within a single request may be a caller from outside.',
    pinnedBy: {
      lower: 'client-not-instrumented/healthy-fewest-unique',
      higher: 'client-not-instrumented/broken-fewest-unique',
    },
  },
  fewestContinued: {
    value: 2,
    unit: 'count',
    reason:
      'A single request that continues a trace without a caller here may come from outside, with its own header.',
    pinnedBy: {
      lower: 'external-parent/shown-fewest-continued',
      higher: 'external-parent/shown-beside-whole',
    },
  },
  fewestMisled: {
    value: 3,
    unit: 'count',
    reason:
      'Fewer calls to another address than that of the server may have gone to another peer with the same path.',
    pinnedBy: { lower: 'wrong-parent/healthy-fewest-misled', higher: 'wrong-parent/broken-in-cluster' },
  },
  exportDelay: {
    value: 5_000_000_000n,
    unit: 'time',
    reason:
      'A process exports ended spans once in this time (OpenTelemetry specification, OTEL_BSP_SCHEDULE_DELAY), so a capture may lack spans from its first and last seconds.',
    pinnedBy: { lower: 'missing-client/shown-export-delay', higher: 'missing-client/broken-export-delay' },
  },
  fewestSeparated: {
    value: 5,
    unit: 'count',
    reason:
      'A sender has many replicas, and fewer broken calls may all come from a replica without a whole call by chance: for two replicas and ten calls, once in 126 times.',
    pinnedBy: {
      lower: 'split-trace/broken-fewest-separated',
      higher: 'split-trace/broken-caller-replica',
    },
  },
  separatedByChance: {
    value: 0.008,
    unit: 'ratio',
    reason:
      'An unrelated attribute separates five broken calls from five whole ones once in 126 times, and there are about ten attributes. Few messages that times alone pair must be as improbable.',
    pinnedBy: {
      lower: 'split-trace/broken-separated',
      higher: 'split-trace/broken-separated-by-chance',
    },
  },
  likelyByChance: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'A replica that three of six broken calls and no whole call reached is worth a look. The report says how often this is chance. With fewer calls it is too often chance.',
    pinnedBy: {
      lower: 'split-trace/broken-replica-of-two',
      higher: 'split-trace/broken-likely-by-chance',
    },
  },
  fewestWholeCalls: {
    value: 3,
    unit: 'count',
    reason:
      'Fewer whole calls do not show that broken calls at the beginning or end of the capture are exceptions.',
    pinnedBy: {
      lower: 'missing-client/broken-fewest-whole-calls',
      higher: 'missing-client/shown-fewest-whole-calls',
    },
  },
  wholeCallsShare: {
    value: 0.75,
    unit: 'share',
    reason:
      'Broken calls are an effect of the ends of the capture only if this share of the whole calls lies between those at its beginning and those at its end.',
    pinnedBy: {
      lower: 'missing-client/broken-whole-calls-share',
      higher: 'missing-client/shown-whole-calls-share',
    },
  },
  afterMessageShare: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'A handler calls within this share of the usual interval to the next message. A timer calls at any time.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-after-consumer',
      higher: 'context-lost-in-process/healthy-after-consumer',
    },
  },
  fewestDetached: {
    value: 2,
    unit: 'count',
    reason: 'A single coincidence in time may be a poller or a job that ran during a request.',
    pinnedBy: {
      lower: 'context-lost-in-process/shown-one-job',
      higher: 'context-lost-in-process/broken-fewest-detached',
    },
  },
  callsPerStaleOwner: {
    value: 2,
    unit: 'ratio',
    reason:
      'A stale request collects the calls of several requests. Fire-and-forget calls hang under their own requests.',
    pinnedBy: { lower: 'stale-context/healthy-calls-per-stale-owner', higher: 'stale-context/broken' },
  },
  begunSpread: {
    value: 0.75,
    unit: 'ratio',
    reason:
      'Requests began calls if the delay from request to call varies by less than this share of how much the delay from the last work of the older request varies. If that work began them, the delay from the request varies more.',
    pinnedBy: {
      lower: 'stale-context/broken-begun-spread',
      higher: 'stale-context/shown-begun-spread',
    },
  },
  fewestLostMessages: {
    value: 3,
    unit: 'count',
    reason: 'Fewer lost messages may come from outside, while as many sent messages are still unread.',
    pinnedBy: {
      lower: 'split-trace/healthy-fewest-lost-messages',
      higher: 'split-trace/broken-messages-of-one',
    },
  },
  messageLag: {
    value: 2,
    unit: 'ratio',
    reason:
      'A lost message may wait longer than each whole one: of three lost beside six whole ones, one does in a third of captures. It rarely waits this many times as long.',
    pinnedBy: {
      lower: 'split-trace/broken-message-lag',
      higher: 'split-trace/healthy-message-lag',
    },
  },
  fewestInRhythm: {
    value: 5,
    unit: 'count',
    reason: 'Fewer calls show no rhythm.',
    pinnedBy: {
      lower: 'missing-call/healthy-fewest-in-rhythm',
      higher: 'missing-call/broken-fewest-in-rhythm',
    },
  },
  longestPause: {
    value: 10_000_000,
    unit: 'time',
    reason:
      'A client that sends the next request on each answer pauses for less, and no timer is set to so little. In nanoseconds.',
    pinnedBy: { lower: 'missing-call/broken-longest-pause', higher: 'missing-call/healthy-longest-pause' },
  },
  shortestRest: {
    value: 0.3,
    unit: 'ratio',
    reason:
      'A loop does not pause: the pause between two calls must be at least this share of the duration of a call.',
    pinnedBy: { lower: 'missing-call/healthy-shortest-rest', higher: 'missing-call/broken-shortest-rest' },
  },
  longestRest: {
    value: 2,
    unit: 'ratio',
    reason:
      'A timer pauses for longer: the pause between two calls must be at most this many times as long as a call.',
    pinnedBy: { lower: 'missing-call/broken-longest-rest', higher: 'missing-call/healthy-longest-rest' },
  },
  rhythmSpread: {
    value: 3,
    unit: 'ratio',
    reason: 'Each pause differs from the usual one by at most this factor.',
    pinnedBy: { lower: 'missing-call/broken-rhythm-spread', higher: 'missing-call/healthy-rhythm-spread' },
  },
} as const satisfies Readonly<Record<string, Threshold>>;

export type ThresholdName = keyof typeof thresholdTable;

/** The values alone, as rules read them. */
export type Thresholds = {
  readonly [Name in ThresholdName]: (typeof thresholdTable)[Name]['value'] extends bigint ? bigint : number;
};

export const thresholds = replaceThresholds({});

/** For tests that move a number. */
export function replaceThresholds(replaced: Readonly<Record<string, number | bigint>>): Thresholds {
  const values = { ...readValues(), ...replaced };
  if (!isWhole(values)) throw new TypeError('a threshold was replaced by a number of another type');
  return values;
}

function readValues(): Readonly<Record<string, number | bigint>> {
  return Object.fromEntries(Object.entries(thresholdTable).map(([name, { value }]) => [name, value]));
}

function isWhole(values: Readonly<Record<string, number | bigint>>): values is Thresholds {
  return Object.entries(thresholdTable).every(([name, { value }]) => typeof values[name] === typeof value);
}
