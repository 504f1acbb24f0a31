/** The kind of a number, which decides how far the test moves it. */
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

/** Times are in nanoseconds; shares are of a whole, at most 1; ratios compare two numbers. */
export const thresholdTable = {
  rounding: {
    value: 1_000_000n,
    unit: 'time',
    reason:
      'Some SDKs start spans at whole milliseconds, so a server may seem to start this much before its client.',
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
      'Clocks of two processes on one machine differ by this much; looked at only where nothing fits within `rounding`.',
    pinnedBy: { lower: 'split-trace/broken-clock-tolerance', higher: 'split-trace/healthy-clock-tolerance' },
  },
  sharedTime: {
    value: 0.25,
    unit: 'share',
    reason:
      'Instances of a service that delivered spans together for less than this share of its time followed one another: none is cut off.',
    pinnedBy: { lower: 'missing-server/shown-shared-time', higher: 'missing-server/healthy-shared-time' },
  },
  judgedShare: {
    value: 0.5,
    unit: 'share',
    reason: 'An edge of which at most this share of the calls is judged is not called whole.',
    pinnedBy: { lower: 'missing-server/shown-half', higher: 'missing-server/shown-majority' },
  },
  noticeableSkew: {
    value: 100_000_000n,
    unit: 'time',
    reason: 'People notice a difference of this much between two clocks in a trace.',
    pinnedBy: { lower: 'clock-skew/healthy-noticeable-skew', higher: 'clock-skew/shown-noticeable-skew' },
  },
  fewestLoose: {
    value: 3,
    unit: 'count',
    reason: 'Fewer loose ends make no pattern from which a clock can be told.',
    pinnedBy: { lower: 'split-trace/broken-fewest-loose-two', higher: 'split-trace/broken-fewest-loose' },
  },
  mostGuessed: {
    value: 200,
    unit: 'count',
    reason:
      'Each call is compared with each request: of an edge with more calls an expectation must say that it exists before its clocks are compared.',
    pinnedBy: { lower: 'split-trace/shown-most-guessed', higher: 'split-trace/healthy-most-guessed' },
  },
  apartShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'A clock is off only where more than this share of the SERVER spans start outside of their CLIENT spans.',
    pinnedBy: { lower: 'clock-skew/healthy-apart-share', higher: 'clock-skew/shown-apart-share' },
  },
  alignedShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'One offset must put more than this share of them inside: work that was handed over starts when it can.',
    pinnedBy: { lower: 'clock-skew/healthy-aligned-share', higher: 'clock-skew/shown-aligned-share' },
  },
  fewestSteady: {
    value: 10,
    unit: 'count',
    reason: 'Fewer pairs vary so much from rotation to rotation that single ones are exceptions.',
    pinnedBy: { lower: 'split-trace/healthy-fewest-steady', higher: 'missing-call/broken-parallel' },
  },
  chanceOutliers: {
    value: 1,
    unit: 'count',
    reason: 'Of five rotations of few pairs, so many may give as many pairs as were found.',
    pinnedBy: { lower: 'split-trace/broken-chance-outliers', higher: 'split-trace/healthy-chance-outliers' },
  },
  chanceShare: {
    value: 0.7,
    unit: 'share',
    reason:
      'Rotated spans must pair up clearly less often than the real ones, or the pairs are a coincidence.',
    pinnedBy: {
      lower: 'split-trace/broken-chance-share',
      higher: 'missing-server/broken-split-left-over-expected',
    },
  },
  fillsRequest: {
    value: 0.25,
    unit: 'ratio',
    reason: 'A call that takes this much of its request was waited for; calls of a timer are short.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fills-request',
      higher: 'context-lost-in-process/broken-fills-request',
    },
  },
  restAfterCall: {
    value: 0.2,
    unit: 'ratio',
    reason: 'A request that ends within this share of its time after its call waited for it.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-rest-after-call',
      higher: 'context-lost-in-process/healthy-rest-after-call',
    },
  },
  fewestPrompt: {
    value: 2,
    unit: 'count',
    reason: 'One call that begins with its request may be a timer that fired then.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fewest-prompt',
      higher: 'context-lost-in-process/broken-usual-delay',
    },
  },
  usualDelay: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'Calls that begin with their requests usually begin within this share of the time of the request.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-usual-delay',
      higher: 'context-lost-in-process/healthy-usual-delay',
    },
  },
  longestDelay: {
    value: 0.25,
    unit: 'ratio',
    reason: 'Calls that begin with their requests all begin within this share of the time of the request.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-longest-delay',
      higher: 'context-lost-in-process/healthy-longest-delay',
    },
  },
  restSpread: {
    value: 0.5,
    unit: 'ratio',
    reason:
      'Requests end with their calls where the time between the two ends varies less than this share of what the requests vary.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-ends-follow',
      higher: 'context-lost-in-process/shown-timer-at-the-end',
    },
  },
  steadyRest: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'Requests that all last alike do not tell whether they end with their calls: then how long they go on after these differs by at most this share of their time.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-steady-rest',
      higher: 'context-lost-in-process/shown-same-event',
    },
  },
  startSpread: {
    value: 0.2,
    unit: 'ratio',
    reason:
      'Calls begin with their requests where no time between the two starts differs from the usual one by this share of what the times between requests vary by. A timer begins at its own time.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-start-spread',
      higher: 'context-lost-in-process/healthy-start-spread',
    },
  },
  clockTick: {
    value: 1_000_000_000n,
    unit: 'time',
    reason:
      'Schedulers count whole seconds from the full one, so that the jobs of two programs keep step; other periods meet by chance alone.',
    pinnedBy: {
      lower: 'context-lost-in-process/shown-clock-tick',
      higher: 'context-lost-in-process/shown-clock-tick',
    },
  },
  displacedShare: {
    value: 0.9,
    unit: 'share',
    reason: 'A cache leaves requests without calls, too: then most of them contain none.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-displaced-share',
      higher: 'context-lost-in-process/broken-displaced-share',
    },
  },
  fewestBesideException: {
    value: 6,
    unit: 'count',
    reason:
      'Beside so many that pair up, one that does not is an exception: its span was ended too early or lost, or its call failed. Fewer pairs may be a coincidence.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fewest-beside-exception',
      higher: 'context-lost-in-process/broken-ended-early',
    },
  },
  fewestBesideTold: {
    value: 3,
    unit: 'count',
    reason:
      'Beside so many pairs, one request that needed no call, or whose call or own end the capture cuts off, is an exception. Fewer may be a coincidence.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-fewest-beside-told',
      higher: 'context-lost-in-process/broken-beside-cached',
    },
  },
  displacedLeftOver: {
    value: 1.1,
    unit: 'ratio',
    reason:
      'More calls or requests than pairs, by more than a cut capture explains, are those of a job, a timer or other callers.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-unrouted',
      higher: 'context-lost-in-process/healthy-displaced-left-over',
    },
  },
  containedShare: {
    value: 0.8,
    unit: 'share',
    reason:
      'A process that is held up while it begins a span measures it too short, so that a call seems to outlive its request: a few do.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-contained-share',
      higher: 'context-lost-in-process/broken-contained-share',
    },
  },
  fewestDisplaced: {
    value: 5,
    unit: 'count',
    reason: 'Fewer pairs may be a coincidence, whatever the rotations say.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-displaced-left-over',
      higher: 'context-lost-in-process/broken-fewest-displaced',
    },
  },
  manyDisplaced: {
    value: 15,
    unit: 'count',
    reason: 'So many requests are not by chance as many as the calls, although they overlap.',
    pinnedBy: {
      lower: 'context-lost-in-process/healthy-overlapping',
      higher: 'context-lost-in-process/broken-many-displaced',
    },
  },
  uniqueShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Where this share of the pairs fit nothing else, they correspond one by one.',
    pinnedBy: { lower: 'split-trace/healthy-unique-share', higher: 'split-trace/broken-unique-share' },
  },
  fewestDistinct: {
    value: 2,
    unit: 'count',
    reason: 'One call and one request with a path of their own may be of two callers.',
    pinnedBy: { lower: 'split-trace/healthy-fewest-distinct', higher: 'split-trace/broken-fewest-distinct' },
  },
  usualAgentShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'What one instrumentation sends has one user agent: a few pairs with another are callers from outside.',
    pinnedBy: { lower: 'split-trace/broken-usual-agent-share', higher: 'split-trace/broken-partner' },
  },
  splitCallsShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Most calls to the target must pair up: the others called a peer that is not instrumented.',
    pinnedBy: {
      lower: 'split-trace/healthy-split-calls-share',
      higher: 'split-trace/broken-split-calls-share',
    },
  },
  splitRequestsShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Most requests of the kind must pair up: others call this service, too.',
    pinnedBy: {
      lower: 'split-trace/healthy-split-requests-share',
      higher: 'split-trace/broken-split-requests-share',
    },
  },
  everyCallShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'Where the edge is whole by another way, nearly every call must pair up: a partner with the same paths looks alike.',
    pinnedBy: {
      lower: 'split-trace/healthy-every-call-share',
      higher: 'split-trace/broken-every-call-share',
    },
  },
  passedOnShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'Where only the expectation says that requests are passed on, most requests of the server must be such.',
    pinnedBy: { lower: 'missing-call/broken-passed-on-share', higher: 'split-trace/broken-passed-on-share' },
  },
  splitLeftOverExpected: {
    value: 1.2,
    unit: 'ratio',
    reason: 'An expectation speaks for the pairs, so that more calls or requests may be left over.',
    pinnedBy: {
      lower: 'split-trace/broken-split-left-over-expected',
      higher: 'missing-server/broken-split-left-over-expected',
    },
  },
  untoldShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Pairs that have nothing but their time in common must be most of the calls to the target.',
    pinnedBy: { lower: 'missing-server/broken-untold-share', higher: 'split-trace/broken-untold-share' },
  },
  fewestUntold: {
    value: 3,
    unit: 'count',
    reason: 'Fewer of them on an edge with whole calls may be a coincidence.',
    pinnedBy: { lower: 'split-trace/healthy-untold', higher: 'split-trace/broken-fewest-untold' },
  },
  fewestPartlySplit: {
    value: 3,
    unit: 'count',
    reason: 'Fewer roots inside of requests that lack the call may be callers from outside.',
    pinnedBy: {
      lower: 'split-trace/healthy-fewest-partly-split',
      higher: 'split-trace/broken-partly-by-hand',
    },
  },
  splitByTimeShare: {
    value: 0.9,
    unit: 'share',
    reason:
      'Roots, with a kind or without, that fit nearly every unanswered call by time are its other side.',
    pinnedBy: {
      lower: 'missing-server/shown-split-by-time-share',
      higher: 'split-trace/shown-split-by-time-share',
    },
  },
  cachedDuration: {
    value: 0.5,
    unit: 'ratio',
    reason: 'Answers of a cache take at most this much of the time of those of the called service.',
    pinnedBy: {
      lower: 'missing-server/healthy-cached-duration',
      higher: 'missing-server/shown-cached-duration',
    },
  },
  quickestAnswers: {
    value: 0.1,
    unit: 'share',
    reason: 'Lost calls have ordinary durations; cached ones are usually faster than all but this share.',
    pinnedBy: {
      lower: 'missing-server/healthy-quickest-answers',
      higher: 'missing-server/shown-quickest-answers',
    },
  },
  fewestCached: {
    value: 3,
    unit: 'count',
    reason: 'Of fewer answers without a SERVER span it may be chance that they are the quick ones.',
    pinnedBy: {
      lower: 'missing-server/shown-fewest-cached',
      higher: 'missing-server/healthy-quickest-answers',
    },
  },
  strayRequestsShare: {
    value: 0.5,
    unit: 'share',
    reason: 'A service with this many requests of unknown callers shows the other side of the calls itself.',
    pinnedBy: {
      lower: 'missing-server/broken-stray-requests-share',
      higher: 'missing-call/broken-stray-requests-share',
    },
  },
  insidersShare: {
    value: 0.5,
    unit: 'share',
    reason:
      'Roots of programs that call only this service are judged apart where they are at least this share.',
    pinnedBy: {
      lower: 'missing-call/broken-insiders-share',
      higher: 'client-not-instrumented/broken-insiders-share',
    },
  },
  missingCallShare: {
    value: 0.5,
    unit: 'share',
    reason: 'Most roots must have begun during a request of the caller.',
    pinnedBy: {
      lower: 'missing-call/broken-missing-call-share',
      higher: 'client-not-instrumented/broken-missing-call-share',
    },
  },
  mostRootsCompared: {
    value: 40,
    unit: 'count',
    reason: 'Most services without a caller are called from outside: their first requests tell.',
    pinnedBy: {
      lower: 'missing-call/healthy-most-roots-compared',
      higher: 'missing-call/shown-most-roots-compared',
    },
  },
  everyRequestShare: {
    value: 0.9,
    unit: 'share',
    reason: 'Nearly every request must have its root or message: captures are cut at both ends.',
    pinnedBy: {
      lower: 'client-not-instrumented/broken-between',
      higher: 'client-not-instrumented/broken-every-request-share',
    },
  },
  fewestUnique: {
    value: 2,
    unit: 'count',
    reason: 'One root within one request may be a caller from outside.',
    pinnedBy: {
      lower: 'client-not-instrumented/healthy-fewest-unique',
      higher: 'client-not-instrumented/broken-fewest-unique',
    },
  },
  fewestContinued: {
    value: 2,
    unit: 'count',
    reason:
      'One request that continues a trace without a caller here may come from outside, with a header of its own.',
    pinnedBy: {
      lower: 'external-parent/shown-fewest-continued',
      higher: 'external-parent/shown-beside-whole',
    },
  },
  fewestMisled: {
    value: 3,
    unit: 'count',
    reason:
      'Fewer calls to an address that is not the one of the server may have gone to another peer with the same path.',
    pinnedBy: { lower: 'wrong-parent/healthy-fewest-misled', higher: 'wrong-parent/broken-in-cluster' },
  },
  exportDelay: {
    value: 5_000_000_000n,
    unit: 'time',
    reason:
      'A process exports what has ended once in this time (OpenTelemetry specification, OTEL_BSP_SCHEDULE_DELAY), so that the first and the last of a capture may lack it.',
    pinnedBy: { lower: 'missing-client/shown-export-delay', higher: 'missing-client/broken-export-delay' },
  },
  fewestSeparated: {
    value: 5,
    unit: 'count',
    reason:
      'A sender has many replicas, and fewer broken calls may all be of one that has no whole call by chance: two replicas share ten calls so once in 126 times.',
    pinnedBy: {
      lower: 'split-trace/broken-fewest-separated',
      higher: 'split-trace/broken-caller-replica',
    },
  },
  separatedByChance: {
    value: 0.008,
    unit: 'ratio',
    reason:
      'An attribute that has nothing to do with it separates five broken calls from five whole ones once in 126 times, and there are about ten attributes.',
    pinnedBy: {
      lower: 'split-trace/broken-separated',
      higher: 'split-trace/broken-separated-by-chance',
    },
  },
  likelyByChance: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'The replica that three of six broken calls reached, and no whole one, is worth a look, with how often that is chance. Fewer calls are not.',
    pinnedBy: {
      lower: 'split-trace/broken-replica-of-two',
      higher: 'split-trace/broken-likely-by-chance',
    },
  },
  fewestWholeCalls: {
    value: 3,
    unit: 'count',
    reason: 'Fewer whole calls do not show that those of the beginning or the end are the exception.',
    pinnedBy: {
      lower: 'missing-client/broken-fewest-whole-calls',
      higher: 'missing-client/shown-fewest-whole-calls',
    },
  },
  wholeCallsShare: {
    value: 0.75,
    unit: 'share',
    reason: 'Where fewer of the whole calls lie before, or after, the broken ones are not those of one end.',
    pinnedBy: {
      lower: 'missing-client/broken-whole-calls-share',
      higher: 'missing-client/shown-whole-calls-share',
    },
  },
  afterMessageShare: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'A handler calls within this share of the usual time to the next message; a timer calls at any time.',
    pinnedBy: {
      lower: 'context-lost-in-process/broken-after-consumer',
      higher: 'context-lost-in-process/healthy-after-consumer',
    },
  },
  fewestDetached: {
    value: 2,
    unit: 'count',
    reason: 'One coincidence in time may be a poller or a job that ran during a request.',
    pinnedBy: {
      lower: 'context-lost-in-process/shown-one-job',
      higher: 'context-lost-in-process/broken-fewest-detached',
    },
  },
  callsPerStaleOwner: {
    value: 2,
    unit: 'ratio',
    reason: 'A stale request gathers the calls of several; fire-and-forget spreads them over their own.',
    pinnedBy: { lower: 'stale-context/healthy-calls-per-stale-owner', higher: 'stale-context/broken' },
  },
  fewestLostMessages: {
    value: 3,
    unit: 'count',
    reason: 'Fewer lost messages may be some that came from outside, and as many that nobody has read yet.',
    pinnedBy: {
      lower: 'split-trace/healthy-fewest-lost-messages',
      higher: 'split-trace/broken-messages-of-one',
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
      'In nanoseconds: a client that asks again on each answer needs less, and no timer is set to so little.',
    pinnedBy: { lower: 'missing-call/broken-longest-pause', higher: 'missing-call/healthy-longest-pause' },
  },
  shortestRest: {
    value: 0.3,
    unit: 'ratio',
    reason: 'A loop does not rest: the pause between two calls must be at least this part of a call.',
    pinnedBy: { lower: 'missing-call/healthy-shortest-rest', higher: 'missing-call/broken-shortest-rest' },
  },
  longestRest: {
    value: 2,
    unit: 'ratio',
    reason:
      'A timer rests for longer: the pause between two calls must be at most so many times as long as a call.',
    pinnedBy: { lower: 'missing-call/broken-longest-rest', higher: 'missing-call/healthy-longest-rest' },
  },
  rhythmSpread: {
    value: 3,
    unit: 'ratio',
    reason: 'Each pause is about the usual one, up to this factor.',
    pinnedBy: { lower: 'missing-call/broken-rhythm-spread', higher: 'missing-call/healthy-rhythm-spread' },
  },
} as const satisfies Readonly<Record<string, Threshold>>;

export type ThresholdName = keyof typeof thresholdTable;

/** The bare numbers, as rules read them. */
export type Thresholds = {
  readonly [Name in ThresholdName]: (typeof thresholdTable)[Name]['value'] extends bigint ? bigint : number;
};

export const thresholds = replaceThresholds({});

/** The numbers with some of them replaced: how a test moves one. */
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
