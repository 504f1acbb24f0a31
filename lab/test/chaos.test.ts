import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CommanderError } from 'commander';
import type { Answer } from 'demo';
import { SourceError, type Span } from 'propagation-check';
import { type Account, drawAccount, type Evidence, isClean } from '../chaos/account.ts';
import { awaitSpans } from '../chaos/await-spans.ts';
import { NoFaultError } from '../chaos/fault.ts';
import { chaosFaults } from '../chaos/faults.ts';
import { type EndedSpan, LedgerError, readLedger } from '../chaos/ledger.ts';
import { countDropped } from '../chaos/lossy-network.ts';
import { readArguments, selectFaults } from '../chaos/options.ts';
import { describeRun, isRowClean, isRowWhole, type Row, renderTable, summarize } from '../chaos/report.ts';
import { isGood, type RunDone, toFailure } from '../chaos/run.ts';
import { RecoveryError } from '../chaos/stack.ts';
import { createSource, toSpan } from './chaos-samples.ts';
import { runLab } from './run.ts';

const root = join(import.meta.dirname, '..', '..');

const traceId = 'a'.repeat(32);
const ids = {
  serverOfA: '1'.repeat(16),
  handlerOfA: '2'.repeat(16),
  client: '3'.repeat(16),
  serverOfB: '4'.repeat(16),
} as const;

/** A SERVER ← A INTERNAL ← A CLIENT ← B SERVER */
const ended: readonly EndedSpan[] = [
  toEnded('service-b', 'SERVER', ids.serverOfB, ids.client),
  toEnded('service-a', 'CLIENT', ids.client, ids.handlerOfA),
  toEnded('service-a', 'INTERNAL', ids.handlerOfA, ids.serverOfA),
  toEnded('service-a', 'SERVER', ids.serverOfA, null),
];
const found = ended.map(toSpan);
const answer: Answer = {
  same_trace: true,
  service_a_trace_id: traceId,
  service_b_trace_id: traceId,
  traceparent_header: `00-${traceId}-${ids.client}-01`,
  traceparent_parent_span_id: ids.client,
  service_b_parent_span_id: ids.client,
  parent_matches_traceparent: true,
};
const quiet = { queued: 0, sending: 0, dropped: 0, counters: {}, unread: [] } as const;
const whole: Evidence = { outcomes: [{ status: 200, answer }], ended, found };

describe('the account', () => {
  it('is clean when every span that ended is there once', () => {
    const account = drawAccount(whole);
    assert.deepEqual(account, {
      requests: 1,
      answered: 1,
      ok: 1,
      expected: 4,
      found: 4,
      lost: [],
      duplicated: [],
      wrong: [],
    });
    assert.equal(isClean(account), true);
  });

  for (const span of ended) {
    it(`misses ${span.service}'s ${span.kind} span`, () => {
      const account = drawAccount({ ...whole, found: found.filter(({ spanId }) => spanId !== span.spanId) });
      assertCounts(account, { expected: 4, found: 3, lost: 1 });
      assert.deepEqual(account.lost, [
        { traceId, says: `${span.service} ${span.kind} ${span.spanId} is missing` },
      ]);
    });

    it(`sees ${span.service}'s ${span.kind} span twice`, () => {
      const account = drawAccount({ ...whole, found: [...found, toSpan(span)] });
      assertCounts(account, { expected: 4, found: 4, duplicated: 1 });
    });

    it(`sees another parent of ${span.service}'s ${span.kind} span`, () => {
      const account = drawAccount({
        ...whole,
        found: found.map((one) =>
          one.spanId === span.spanId ? { ...one, parentSpanId: 'f'.repeat(16) } : one,
        ),
      });
      assert.ok(account.wrong.some(({ says }) => says.includes(`parent ${'f'.repeat(16)} instead of`)));
      assert.equal(isClean(account), false);
    });
  }

  it('counts three copies of a span as two duplicates', () => {
    const server = found.filter(({ kind, serviceName }) => kind === 'SERVER' && serviceName === 'service-b');
    assertCounts(drawAccount({ ...whole, found: [...found, ...server, ...server] }), {
      expected: 4,
      found: 4,
      duplicated: 2,
    });
  });

  it('misses a span of an answered request that the log does not have either', () => {
    const isB = ({ spanId }: { readonly spanId: string }) => spanId === ids.serverOfB;
    const account = drawAccount({
      ...whole,
      ended: ended.filter((span) => !isB(span)),
      found: found.filter((span) => !isB(span)),
    });
    assertCounts(account, { expected: 4, found: 3, lost: 1 });
    assert.deepEqual(account.lost, [{ traceId, says: "B's SERVER span is missing, in the log too" }]);
  });

  it('reports a span in Jaeger that no service has ended', () => {
    const account = drawAccount({ ...whole, ended: ended.slice(1) });
    assertCounts(account, { expected: 3, found: 3, wrong: 1 });
  });

  it('sees a second SERVER span of B for one call', () => {
    const again = toEnded('service-b', 'SERVER', '5'.repeat(16), ids.client);
    const account = drawAccount({ ...whole, ended: [...ended, again], found: [...found, toSpan(again)] });
    assert.deepEqual(account.wrong, [{ traceId, says: "2 spans could be B's SERVER span" }]);
  });

  it('sees a CLIENT span beside its SERVER span instead of below it', () => {
    const beside = ended.map((span) =>
      span.spanId === ids.handlerOfA ? { ...span, parentSpanId: null } : span,
    );
    const account = drawAccount({ ...whole, ended: beside, found: beside.map(toSpan) });
    assert.deepEqual(account.wrong, [
      { traceId, says: "A's CLIENT span does not descend from its SERVER span" },
    ]);
  });

  it('sees that the services were not in one trace', () => {
    const apart = { ...answer, same_trace: false };
    const account = drawAccount({ ...whole, outcomes: [{ status: 200, answer: apart }] });
    assert.deepEqual(account.wrong, [{ traceId, says: 'the services did not see one trace' }]);
  });

  it('expects no span for a request that reached no process', () => {
    const refused = { status: null, answer: null };
    const account = drawAccount({ ...whole, outcomes: [...whole.outcomes, refused] });
    assert.deepEqual([account.requests, account.answered, isClean(account)], [2, 1, true]);
  });

  it('expects the ended spans of a request that was not answered', () => {
    const cutOff = { outcomes: [{ status: null, answer: null }], ended, found: found.slice(1) };
    assertCounts(drawAccount(cutOff), { expected: 4, found: 3, lost: 1 });
  });

  it('expects the ended spans of a request that was answered with an error', () => {
    const outcomes = [{ status: 502, answer: null }];
    const ofA = ended.filter(({ service }) => service === 'service-a');
    assertCounts(drawAccount({ outcomes, ended: ofA, found: [] }), { expected: 3, found: 0, lost: 3 });
  });

  it('sees that the log has fewer SERVER spans of A than were answered, or more than were sent', () => {
    const unlogged = drawAccount({ outcomes: [{ status: 504, answer: null }], ended: [], found: [] });
    assert.deepEqual(unlogged.wrong, [
      { traceId: null, says: '1 requests were answered, 0 SERVER spans ended' },
    ]);
    for (const status of [200, 429, 502, 503, 504]) {
      const refused = drawAccount({ outcomes: [{ status, answer: null }], ended: [], found: [] });
      assert.ok(
        refused.wrong.some(({ says }) => says === '1 requests were answered, 0 SERVER spans ended'),
        String(status),
      );
    }
    const unasked = drawAccount({ outcomes: [], ended, found });
    assert.deepEqual(unasked.wrong, [{ traceId: null, says: '0 requests were sent, 1 SERVER spans ended' }]);
  });

  it('reports an answer that is not service A’s as wrong', () => {
    const account = drawAccount({ ...whole, outcomes: [{ status: 200, answer: null }] });
    assert.deepEqual(account.wrong, [
      { traceId: null, says: "1 answers with status 200 are not service A's" },
    ]);
  });

  it('is not clean when there was nothing to lose', () => {
    assert.equal(isClean(drawAccount({ outcomes: [], ended: [], found: [] })), false);
  });

  it('is not clean when no request reached B', () => {
    const ofA = ended.filter(({ service }) => service === 'service-a');
    const account = drawAccount({
      outcomes: [{ status: 502, answer: null }],
      ended: ofA,
      found: ofA.map(toSpan),
    });
    assertCounts(account, { expected: 3, found: 3 });
    assert.equal(isClean(account), false);
  });

  it('sees one trace that answers two requests', () => {
    const account = drawAccount({ ...whole, outcomes: [...whole.outcomes, ...whole.outcomes] });
    assert.deepEqual(account.wrong, [
      { traceId: null, says: '2 requests were answered, 1 SERVER spans ended' },
    ]);
  });
});

describe('the ledger', () => {
  const line =
    `{"level":30,"time":1,"msg":"span","trace_id":"${traceId}","span_id":"${ids.client}",` +
    `"parent_span_id":"${ids.handlerOfA}","kind":"CLIENT","name":"GET"}`;

  it('is read from between other lines', () => {
    assert.deepEqual(readLedger('service-a', `{"level":40,"msg":"other"}\n${line}\nplain text\n`), [
      { ...toEnded('service-a', 'CLIENT', ids.client, ids.handlerOfA), name: 'GET' },
    ]);
  });

  it('finds a span in the middle of a line that was written in pieces', () => {
    const ended = readLedger('service-a', `{"level":40,"err":{"message":"within 200${line}\n0 ms"}}\n`);
    assert.deepEqual(
      ended.map(({ spanId }) => spanId),
      [ids.client],
    );
  });

  for (const [what, broken] of [
    ['is cut off', line.slice(0, -10)],
    ['has another in its middle', `${line.slice(0, -10)}${line}\n"}`],
    ['has an id of another length', line.replace(ids.client, 'abc')],
  ] as const) {
    it(`is refused with a span that ${what}`, () => {
      assert.throws(() => readLedger('service-a', `${line}\n${broken}\n`), LedgerError);
    });
  }
});

describe('the drain', () => {
  const expected = new Map([[traceId, new Set(ended.map(({ spanId }) => spanId))]]);
  const signal = new AbortController().signal;

  it('ends when every span has arrived, even when Jaeger did not answer for a while', async () => {
    const answers: (() => readonly Span[])[] = [
      () => {
        throw new SourceError('connection refused');
      },
      () => [],
      () => found.slice(0, 2),
      () => found,
    ];
    const source = createSource(() => answers.shift()?.() ?? assert.fail('asked once too often'));
    const { found: there, lastArrival } = await awaitSpans({ source, expected, patienceMs: 60_000, signal });
    assert.deepEqual([there, answers.length], [found, 0]);
    assert.notEqual(lastArrival, null);
  });

  it('fails when Jaeger cannot be read', async () => {
    const source = createSource(() => {
      throw new SourceError('connection refused');
    });
    await assert.rejects(awaitSpans({ source, expected, patienceMs: 300, signal }), SourceError);
  });

  it('gives up when no new span arrives', async () => {
    const source = createSource(() => found.slice(1));
    const drain = await awaitSpans({ source, expected, patienceMs: 300, signal });
    assert.deepEqual(drain, { found: found.slice(1), lastArrival: null });
  });

  it('finds traces behind many lost ones', async () => {
    const lost = Array.from({ length: 250 }, (_, index) => index.toString(16).padStart(32, '0'));
    const many = new Map([...lost.map((id) => [id, new Set([ids.client])] as const), ...expected]);
    const asked = new Set<string>();
    const source = createSource((id) => {
      asked.add(id);
      return id === traceId ? found : [];
    });
    const { found: there } = await awaitSpans({ source, expected: many, patienceMs: 1, signal });
    assert.deepEqual([there, asked.size], [found, 251]);
  });
});

describe('the table', () => {
  const clean: Account = { ...drawAccount(whole) };
  const row: Row = { fault: 'burst', runs: [toRun(clean, 1), toRun(clean, 3)], wanted: 2, skipped: null };
  const lossy = drawAccount({ ...whole, found: found.slice(1) });

  it('sums the runs of a fault', () => {
    assert.equal(
      renderTable([row, { fault: 'engine-restarted', runs: [], wanted: 0, skipped: 'not allowed' }]),
      [
        'fault  runs  requests  answered  expected  found  lost  doubled  wrong  drain s (min/median/max)  said dropped  peak MiB (A/B/Collector/Jaeger)',
        'burst     2         2         2         8      8     0        0      0               1.0/2.0/3.0             0                          1/2/3/4',
        '',
        '- engine-restarted was not run: not allowed',
        '',
      ].join('\n'),
    );
    assert.deepEqual([isRowClean(row), isRowWhole(row)], [true, true]);
  });

  it('shows the lost spans and the counters of the stack', () => {
    const bad: Row = {
      fault: 'burst',
      runs: [{ ...toRun(lossy, 1), said: { ...quiet, counters: { dropped: 7 } } }],
      wanted: 1,
      skipped: null,
    };
    assert.equal(isRowClean(bad), false);
    assert.match(
      renderTable([bad]),
      /\n✗ burst, run 1\n {4}1 lost, and the stack says that it dropped 0\n {4}lost: service-b SERVER 4{16} is missing \(trace a{32}\)\n {4}the stack says: dropped 7\n/,
    );
  });

  it('is good at a bound only when the stack counts exactly the lost spans as dropped', () => {
    const bounded = (account: Account, dropped: number): RunDone => {
      return { ...toRun(account, 1), reachesBound: true, said: { ...quiet, dropped } };
    };
    assert.deepEqual(
      [bounded(lossy, 1), bounded(lossy, 0), bounded(lossy, 2), bounded(clean, 0)].map(isGood),
      [true, false, false, false],
    );
    const silent: Row = { ...row, runs: [bounded(lossy, 0)] };
    assert.match(renderTable([silent]), / {4}1 lost, and the stack says that it dropped 0\n/);
  });

  it('is not good when the stack counts drops of spans that are not lost', () => {
    const run = { ...toRun(clean, 1), said: { ...quiet, dropped: 1 } };
    assert.equal(isGood(run), false);
    assert.match(
      renderTable([{ ...row, runs: [run] }]),
      /✗ burst, run 1\n {4}0 lost, and the stack says that it dropped 1\n/,
    );
  });

  it('is not good when a queue is not empty, or a counter cannot be read', () => {
    for (const [said, line] of [
      [{ ...quiet, queued: 3 }, '3 spans or requests still wait in the services and the Collector'],
      [{ ...quiet, unread: ['otel-collector'] }, 'the counters of otel-collector cannot be read'],
    ] as const) {
      const run = { ...toRun(clean, 1), said };
      assert.equal(isGood(run), false);
      assert.match(renderTable([{ ...row, runs: [run] }]), new RegExp(`✗ burst, run 1\n {4}${line}\n`));
    }
  });

  it('is not clean after an accident', () => {
    const bad: Row = {
      ...row,
      runs: [{ ...toRun(clean, 1), accidents: ['jaeger was killed for want of memory'] }],
    };
    assert.equal(isRowClean(bad), false);
    assert.match(renderTable([bad]), /✗ burst, run 1\n {4}jaeger was killed for want of memory\n/);
  });

  it('is not whole when a run could not be made', () => {
    const runs = [...row.runs, toFailure('burst', new NoFaultError('no packet was dropped'))];
    const bad: Row = { ...row, runs, wanted: 3 };
    assert.deepEqual([isRowClean(bad), isRowWhole(bad)], [true, false]);
    assert.equal(isRowWhole({ ...bad, wanted: 2 }), true);
    assert.match(
      renderTable([bad]),
      /^burst +2 of 3 .*\n\n- burst, run 3 could not be made: no packet was dropped\n/m,
    );
    assert.equal(describeRun(bad.runs[2] ?? assert.fail()), 'burst: NOT RUN: no packet was dropped');
  });

  it('is not clean when the stack did not recover, whatever the other runs', () => {
    for (const error of [
      new RecoveryError('jaeger has ended with exit code 1 after its start'),
      new SourceError('connection refused'),
    ]) {
      const stuck = toFailure('burst', error);
      const bad: Row = { ...row, runs: [stuck, ...row.runs] };
      assert.equal(isRowClean(bad), false);
      assert.match(
        renderTable([bad]),
        new RegExp(`\n✗ burst, run 1\n {4}the stack did not come back: ${error.message}\n`),
      );
      assert.equal(describeRun(stuck), `burst: NOT RECOVERED: ${error.message}`);
    }
  });

  it('throws an error of this program instead of reporting a failed run', () => {
    assert.throws(() => toFailure('burst', new TypeError('undefined is not a function')), TypeError);
  });

  it('has the mean of the two middle runs as median of an even number', () => {
    assert.equal(summarize([4, 1, 2, 9]), '1.0/3.0/9.0');
    assert.equal(summarize([]), '-');
  });
});

describe('the options', () => {
  it('have defaults', () => {
    const { rate, short, parallel, patience, runs } = readArguments([]);
    assert.deepEqual([rate, short, parallel, patience, runs], [50, false, 1, 90, undefined]);
  });

  it('select faults', () => {
    const { only } = readArguments(['--only', 'burst', 'jaeger-killed']);
    assert.deepEqual(
      selectFaults(chaosFaults, only).map(({ name }) => name),
      ['jaeger-killed', 'burst'],
    );
  });

  for (const args of [['--rate', '0'], ['--runs', '1.5'], ['--parallel', 'x'], ['--nope'], ['left-over']]) {
    it(`refuse ${args.join(' ')}`, (context) => {
      context.mock.method(process.stderr, 'write', () => true);
      assert.throws(() => readArguments(args), CommanderError);
    });
  }

  it('refuse an unknown fault with one line', async () => {
    const { code, stdout, stderr } = await runLab('chaos.ts', ['--only', 'no-such-fault']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^error: --only "no-such-fault": no such fault; there are none, jaeger-stopped, .*\n$/,
    );
  });

  it('say that the stack cannot run without an engine', async () => {
    const env = { ...process.env, DOCKER_HOST: 'unix:///nowhere.sock' };
    const { code, stdout, stderr } = await runLab('chaos.ts', ['--only', 'burst'], { env });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^error: the stack cannot run: .+\n$/);
  });

  it('list every fault', async () => {
    const { code, stdout } = await runLab('chaos.ts', ['--list']);
    assert.equal(code, 0);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('  ')[0]),
      chaosFaults.map(({ name }) => name),
    );
  });
});

it('every fault is on the page', async () => {
  const page = await readFile(join(root, 'docs', 'nothing-lost.md'), 'utf8');
  for (const { name } of chaosFaults) assert.ok(page.includes(`| \`${name}\` |`), name);
});

it('dropped packets are read from the rules that drop them', () => {
  const listed = [
    '-P INPUT ACCEPT -c 100 2000',
    '-A INPUT -s 172.18.0.2/32 -m statistic --mode random --probability 0.1 -c 7 420 -j DROP',
    '-A OUTPUT -d 172.18.0.2/32 -m statistic --mode random --probability 0.1 -c 5 300 -j DROP',
  ].join('\n');
  assert.equal(countDropped(listed), 12);
});

function toRun(account: Account, drainSeconds: number): RunDone {
  const peakMemory = { 'service-a': 0.5, 'service-b': 2, 'otel-collector': 2.1, jaeger: 4 };
  return {
    fault: 'burst',
    reachesBound: false,
    account,
    drainSeconds,
    said: quiet,
    peakMemory,
    accidents: [],
  };
}

function assertCounts(
  { expected, found: there, lost, duplicated, wrong }: Account,
  counts: Readonly<Partial<Record<'expected' | 'found' | 'lost' | 'duplicated' | 'wrong', number>>>,
): void {
  assert.deepEqual(
    { expected, found: there, lost: lost.length, duplicated: duplicated.length, wrong: wrong.length },
    { expected: 0, found: 0, lost: 0, duplicated: 0, wrong: 0, ...counts },
  );
}

function toEnded(
  service: string,
  kind: EndedSpan['kind'],
  spanId: string,
  parentSpanId: string | null,
): EndedSpan {
  return { service, traceId, spanId, parentSpanId, kind, name: `${service} ${kind}` };
}
