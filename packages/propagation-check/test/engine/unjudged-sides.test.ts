import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { explainNothingToJudge } from '../../src/collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import type { Expectation } from '../../src/expect/expectation.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { readDrawing } from './read-drawing.ts';

const get = 'http.request.method=GET';
const kafka = 'messaging.system=kafka messaging.destination.name=audit-log';

const whole = `
trace 90
  web     CLIENT "GET" 0..50 ${get} url.full=http://stock:8081/stock http.response.status_code=200
    stock SERVER "GET /stock" 10..40 ${get} url.path=/stock server.port=8081
`;
const call = (host = 'orders:8082') => `
trace 91
  web CLIENT "GET" 1000..1050 ${get} url.full=http://${host}/orders http.response.status_code=200
`;
const request = (path = '/orders') => `
trace 92
  orders SERVER "GET ${path}" 9000..9040 ${get} url.path=${path} server.port=8082
`;
const send = (trace: number, more = '') => `
trace ${trace}
  web PRODUCER "audit-log send" ${trace * 100}..${trace * 100 + 5} ${kafka} ${more}
`;
const receive = (service: string, trace: number) =>
  `    ${service} CONSUMER "audit-log process" ${trace * 100 + 10}..${trace * 100 + 20} ${kafka}\n`;
const root = (more = kafka) => `
trace 99
  audit CONSUMER "audit-log process" 9900..9910 ${more}
`;

interface Told {
  readonly result: Result;
  readonly notes: readonly string[];
  readonly expectation: Expectation;
}

function tell(...drawings: readonly string[]): Told {
  const { spans, expectation } = readDrawing(drawings.join(''));
  const result = checkTraces(spans, { expectation });
  const names = spans.map(({ serviceName }) => serviceName);
  return { result, notes: hintAtExpectations(result, names, expectation), expectation };
}

suite('two halves of one edge share one note', () => {
  test('calls and requests', () => {
    const { notes, result } = tell(whole, call(), request());
    assert.equal(result.verdict, 'intact');
    assert.equal(notes.length, 1);
    assert.match(
      notes[0] ?? '',
      /^not judged: web → orders:8082 \(1 call\) and orders \(1 request\): .*; name the edge with --expect "web -> orders" and check again$/,
    );
    assert.equal(tell('expect web -> orders\n', whole, call(), request()).result.verdict, 'broken');
  });

  test('if nothing is whole, the reason names the edge once', () => {
    const { result, expectation } = tell(call(), request());
    assert.equal(result.verdict, 'unknown');
    const reason = explainNothingToJudge(result, ['web', 'orders'], expectation);
    assert.deepEqual(reason.match(/--expect "[^"]*"/g), ['--expect "web -> orders"']);
  });

  test('if the address is not the name of the service, fitting requests identify it', () => {
    const [note = '', ...others] = tell(whole, call('10.0.0.7:8082'), request()).notes;
    assert.match(note, /^not judged: web → 10\.0\.0\.7:8082 \(1 call\) and orders \(1 request\): /);
    assert.deepEqual(others, []);
  });

  test('are two notes if nothing connects them', () => {
    const { notes } = tell(whole, call('10.0.0.7:9999'), request('/export'));
    assert.deepEqual(
      notes.map((note) => /^not judged: (.*?):? \(/.exec(note)?.[1]),
      ['web → 10.0.0.7:9999', 'orders'],
    );
  });

  test('messages', () => {
    const { notes } = tell(whole, send(1), send(2), root());
    assert.equal(notes.length, 1);
    assert.match(
      notes[0] ?? '',
      /^not judged: web → audit-log \(2 messages\) and audit \(1 message\): .*--expect "web -> audit" and check again$/,
    );
  });

  test('messages beside others that were received with their context', () => {
    const partly = [1, 2, 3].map((trace) => send(trace) + receive('audit', trace)).join('');
    const [note = '', ...others] = tell(partly, send(4), root()).notes;
    assert.match(
      note,
      /^not judged: web → audit-log \(1 message\) and audit \(1 message\): .*; so few may be a coincidence: look at such a message in the broker/,
    );
    assert.deepEqual(others, []);
  });

  test('without a verdict, the headline names the edge', () => {
    const { result, expectation } = tell(send(1), send(2), root());
    assert.match(
      explainNothingToJudge(result, ['web', 'audit'], expectation),
      /not judged: web → audit-log \(2 messages\) and audit: .*--expect "web -> audit" and check again$/,
    );
  });

  test('no note if both sides are there', () => {
    const server = `    orders SERVER "GET /orders" 1010..1040 ${get} url.path=/orders server.port=8082\n`;
    assert.deepEqual(tell(whole, call(), server).notes, []);
    assert.deepEqual(tell(whole, send(1), receive('audit', 1)).notes, []);
  });
});

suite('messages whose links are to spans outside the capture', () => {
  const linked = (service: string, trace: number, place = kafka) =>
    `trace ${trace}\n  ${service} CONSUMER "audit-log process" ${trace * 100}..${trace * 100 + 9} link:gone ${place}\n`;
  const gone = 'trace 98\n  lost id:gone\n';
  const isUnnamed = (note: string): boolean => note.includes('"web -> RECEIVER"');

  test('name their own service, not any possible receiver', () => {
    const [note = '', ...others] = tell(
      whole,
      send(1),
      send(2),
      linked('audit', 3),
      linked('audit', 4),
      gone,
    ).notes;
    assert.match(
      note,
      /^not judged: web → audit-log \(2 messages\): 2 messages of audit from audit-log link to spans that are not here: .* of another sender; Look for the spans that the links of audit name, as span /,
    );
    assert.deepEqual(others, []);
  });

  test('say nothing about messages of the sender itself, of other destinations or of other brokers', () => {
    for (const other of [
      linked('web', 3),
      linked('audit', 3, kafka.replace('audit-log', 'mails')),
      linked('audit', 3, kafka.replace('kafka', 'rabbitmq')),
    ])
      assert.equal(tell(whole, send(1), other, gone).notes.filter(isUnnamed).length, 1, other);
  });
});

suite('messages that began traces', () => {
  const received = [1, 2, 3].map((trace) => send(trace) + receive('billing', trace)).join('');

  test('name the service that sends to the destination, although another service received its messages', () => {
    const [note = '', ...others] = tell(received, root()).notes;
    assert.match(
      note,
      /^not judged: audit \(1 message\): they began traces, and web sends to the same destination: /,
    );
    assert.match(
      note,
      /name the edge with --expect "web -> audit" and check again; otherwise list "outside -> audit"/,
    );
    assert.deepEqual(others, []);
  });

  test('name no service that sends elsewhere', () => {
    for (const place of [
      'messaging.system=kafka messaging.destination.name=mails',
      'messaging.system=rabbitmq messaging.destination.name=audit-log',
    ]) {
      const [note = ''] = tell(received, root(place)).notes;
      assert.match(note, /^not judged: audit \(1 message\): .*--expect "CALLER -> audit"/);
    }
  });

  test('name no sender if the service received every message to the destination with its context', () => {
    const all = [1, 2, 3].map((trace) => send(trace) + receive('audit', trace)).join('');
    assert.deepEqual(tell(all, root(`${kafka} messaging.batch.message_count=3`)).notes, []);
  });

  const process = (trace: number, operation = 'process') =>
    receive('audit', trace).replace('\n', ` messaging.operation.type=${operation}\n`);
  const receipt = root(`${kafka} messaging.operation.type=receive`).replace('log process', 'log receive');
  const isOfBegan = (note: string): boolean => note.includes('began traces');

  test('are not reported for "receive" spans beside whole "process" spans', () => {
    const processed = [1, 2, 3].map((trace) => send(trace) + process(trace)).join('');
    assert.deepEqual(tell(processed, send(4), receipt).notes.filter(isOfBegan), []);
  });

  test('are reported for "receive" spans if no message has a "process" span', () => {
    const whole = [1, 2, 3].map((trace) => send(trace) + process(trace, 'receive')).join('');
    assert.equal(tell(whole, send(4), receipt).notes.filter(isOfBegan).length, 1);
  });

  test('are reported for a "process" span in a trace of its own', () => {
    const processed = [1, 2, 3].map((trace) => send(trace) + process(trace)).join('');
    const lost = root(`${kafka} messaging.operation.type=process`);
    assert.equal(tell(processed, send(4), lost).notes.filter(isOfBegan).length, 1);
  });
});

suite('an expectation that is given is not asked for', () => {
  test('of calls to another port of the service', () => {
    const other = 'orders.example.internal:9090';
    const answered = `${call()}    orders SERVER "GET /orders" 1010..1040 ${get} url.path=/orders server.port=8082\n`;
    const given = tell(
      'expect web -> orders\n',
      whole,
      answered,
      call(other).replace('91', '93'),
    ).notes.join();
    assert.match(given, /^not judged: web → orders\.example\.internal:9090 \(1 call\)/);
    assert.doesNotMatch(given, /--expect "web -> orders"/);
  });
});

test('without a verdict, the headline names the edge of a warning instead of an example', () => {
  const batch = (trace: number) =>
    `${send(trace)}${send(trace + 1)}trace ${trace + 2}\n  audit CONSUMER "audit-log process" ${trace * 100 + 300}..${trace * 100 + 310} ${kafka} messaging.batch.message_count=2\n`;
  const { result, expectation } = tell(...[1, 11, 21, 31].map(batch));
  assert.equal(result.findings[0]?.severity, 'warning');
  assert.match(
    explainNothingToJudge(result, ['web', 'audit'], expectation),
    /^web -> audit: none of 8 messages judged \(split-trace .* --expect 'web -> audit'/,
  );
});
