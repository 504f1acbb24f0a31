import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import { replaceThresholds } from '../../src/rules/thresholds.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { readDrawing } from './read-drawing.ts';

const kafka = 'messaging.system=kafka messaging.destination.name=mails';

const send = (at: number, name = at) =>
  `trace ${at + 1}\n  web PRODUCER "mails send" ${at * 100}..${at * 100 + 5} id:m${name} ${kafka}\n`;
const whole = (at: number) =>
  `${send(at)}    mailer CONSUMER "mails process" ${at * 100 + 10}..${at * 100 + 20} ${kafka}\n`;
const began = (at: number, more = '') =>
  `trace ${at + 500}\n  mailer CONSUMER "mails process" ${at * 100 + 10}..${at * 100 + 20} ${kafka} ${more}\n`;
const cut = (at: number) => send(at) + began(at);

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

interface Told {
  readonly result: Result;
  readonly notes: readonly string[];
}

function tell(...drawings: readonly string[]): Told {
  const { spans, expectation } = readDrawing(drawings.join(''));
  const result = checkTraces(spans, { expectation });
  return { result, notes: hintAtExpectations(result, ['web', 'mailer'], expectation) };
}

suite('messages without their other side, beside whole messages', () => {
  const few = [...range(0, 5).map(whole), cut(5), cut(6), whole(7)];
  const many = [whole(0), ...range(1, 5).map(cut), whole(5)];

  test('a few may be a coincidence, even on an expected edge', () => {
    for (const given of ['', 'expect web -> mailer\n']) {
      const { result, notes } = tell(given, ...few);
      assert.equal(result.verdict, 'intact');
      assert.equal(notes.length, 1);
      assert.match(
        notes[0] ?? '',
        /^not judged: web → mails \(2 messages\) and mailer \(2 messages\): .* so few may be a coincidence: look at such a message in the broker/,
      );
      assert.doesNotMatch(notes[0] ?? '', /--expect/);
    }
  });

  test('leave an expected edge open on both sides, whatever their number, and no other', () => {
    const isOpen = (...drawings: readonly string[]) =>
      tell(...drawings).result.edges.map(({ openOnBothSides }) => openOnBothSides);
    assert.deepEqual(isOpen('expect web -> mailer\n', ...few), [true]);
    assert.deepEqual(isOpen(...few), [undefined]);
    assert.deepEqual(isOpen('may web -> mailer\n', ...few), [undefined]);
    assert.deepEqual(isOpen('expect web -> mailer\n', ...range(0, 5).map(whole), send(5), whole(6)), [
      undefined,
    ]);
    assert.deepEqual(isOpen('expect web -> mailer\n', ...range(0, 5).map(whole), began(5), whole(6)), [
      undefined,
    ]);
  });

  test('what counts as few depends on the thresholds of the check', () => {
    const { spans, expectation } = readDrawing(many.join(''));
    const describeOf = (fewestLostMessages: number) =>
      checkTraces(spans, { expectation, thresholds: replaceThresholds({ fewestLostMessages }) })
        .undecided?.[0]?.says;
    assert.match(describeOf(4) ?? '', /name the edge with --expect/);
    assert.match(describeOf(5) ?? '', /so few may be a coincidence/);
  });

  test('if there are several, an expectation decides, and the headline agrees with the note', () => {
    const { result, notes } = tell(...many);
    const [{ says = '' } = {}] = result.undecided ?? [];
    assert.match(
      says,
      /4 messages to mails as parent or link, and 4 messages of it from there began traces: .* name the edge with --expect 'web -> mailer' and check again$/,
    );
    assert.doesNotMatch(says, /sampler/);
    assert.match(notes.join(), /^$|name the edge with --expect "web -> mailer" and check again$/);
    assert.equal(tell('expect web -> mailer\n', ...many).result.verdict, 'broken');
  });

  test('stay undecided if more were sent than began traces', () => {
    const { result } = tell(...many, send(6), whole(7));
    assert.match(
      result.undecided?.[0]?.says ?? '',
      /5 messages to mails .* and 4 messages of it .* the data alone do not tell: look at such a message in the broker/,
    );
  });

  test('spans with another name are not counted as those messages', () => {
    const receive = `trace 900\n  mailer CONSUMER "mails poll" 520..530 ${kafka}\n`;
    const { result } = tell(...range(0, 5).map(whole), send(5), receive, whole(6));
    assert.deepEqual(
      result.unjudged?.filter(({ server }) => server !== undefined).map((edge) => edge.began),
      [undefined],
    );
  });

  test('messages sent last may not have been received yet', () => {
    const { result, notes } = tell(...range(0, 5).map(whole), send(5), whole(6), send(7));
    assert.deepEqual(
      result.unjudged?.map(({ calls, late }) => [calls, late]),
      [[1, 1]],
    );
    assert.match(
      notes.join(),
      /; 1 more message was sent at the end of the capture and may not have been received yet$/,
    );
    const last = `trace 900\n  mailer CONSUMER "mails process" 607..609 ${kafka}\n`;
    const allBegan = tell(...range(0, 5).map(whole), cut(5), send(6), last).notes.join();
    assert.match(allBegan, /web → mails \(1 message\) and mailer \(2 messages\)/);
    assert.doesNotMatch(allBegan, /end of the capture/);
  });

  test('if only the last messages were not received, a note has their number', () => {
    const last = (at: number) =>
      `trace ${at + 1}\n  web PRODUCER "mails send" ${600 + at}..${601 + at} ${kafka}\n`;
    const few = [...range(0, 6).map(whole), last(6), last(7)];
    const { result, notes } = tell(...few, last(8));
    assert.deepEqual([result.verdict, result.undecided], ['intact', undefined]);
    assert.deepEqual(notes, [
      'not judged: web → mails (3 messages): sent at the end of the capture, and may not have been received yet: wait until the consumer has taken them, and check again',
    ]);
    assert.match(tell(...few).notes.join(), /^not judged: web → mails \(2 messages\): sent at the end of/);
    assert.match(
      tell(...few.slice(0, -1)).notes.join(),
      /^not judged: web → mails \(1 message\): sent at the end of the capture, and may not have been received yet: wait until the consumer has taken it, and check again$/,
    );
    assert.equal(tell(whole(5), last(6), last(7), last(8)).result.verdict, 'intact');
  });
});

suite('messages of a destination for which a finding reports other messages', () => {
  // A message id on both sides proves which message was sent and received.
  const split = (at: number) => {
    const id = `messaging.message.id="${String(at).padStart(32, '0')}"`;
    return send(at).replace(kafka, `${kafka} ${id}`) + began(at, id);
  };
  const listUnjudged = ({ result }: Told) =>
    result.unjudged?.map(({ peer, calls, server = null, mayBe = null }) => [peer, calls, server, mayBe]);

  test('are noted beside whole messages', () => {
    const told = tell(...range(0, 8).map(whole), split(8), send(9), send(10), ...range(11, 20).map(whole));
    const [finding] = told.result.findings;
    assert.deepEqual([finding?.id, finding?.severity, finding?.count], ['split-trace', 'error', 1]);
    assert.deepEqual(listUnjudged(told), [['mails', 2, 'mailer', null]]);
    assert.match(told.notes.join(), /^not judged: web → mails \(2 messages\): mailer received others there/);
  });

  test('are noted where no message is whole', () => {
    const told = tell(...range(0, 8).map(split), send(9), send(10), ...range(11, 20).map(split));
    assert.deepEqual([told.result.findings[0]?.id, told.result.findings[0]?.count], ['split-trace', 17]);
    assert.deepEqual(listUnjudged(told), [['mails', 2, null, null]]);
    assert.match(
      told.notes.join(),
      /^not judged: web → mails \(2 messages\): no CONSUMER span here has them/,
    );
  });

  test('are not noted where the finding reports all of them', () => {
    assert.equal(tell(...range(0, 8).map(split)).result.unjudged, undefined);
  });
});

suite('messages to queues of RabbitMQ that the routing key names', () => {
  const asOf = (exchange: string, key: string) => (drawn: string) =>
    drawn.replaceAll(kafka, `messaging.system=rabbitmq ${exchange} ${key}`);
  const generations = {
    'instrumentation-amqplib': asOf('messaging.destination=""', 'messaging.rabbitmq.routing_key=mails'),
    'the Java agent': asOf(
      'messaging.destination.name="<default>"',
      'messaging.rabbitmq.destination.routing_key=mails',
    ),
  };
  for (const [name, rewrite] of Object.entries(generations)) {
    test(name, () => {
      const told = (drawings: readonly string[]) => tell(...drawings.map(rewrite));
      const half = [...range(0, 4).map(whole), ...range(4, 8).map(cut), whole(8)];
      assert.equal(told(half).result.edges[0]?.unjudged, 4);
      assert.match(told(half).notes.join(), /web → mails \(4 messages\) and mailer \(4 messages\)/);
      assert.equal(told(range(0, 6).map(cut)).result.findings[0]?.severity, 'warning');
      const waiting = told([...range(0, 4).map(whole), send(5)]);
      assert.match(waiting.notes.join(), /^not judged: web → mails \(1 message\): sent at the end/);
    });
  }
  test('an exchange with a name keeps it', () => {
    const rename = asOf('messaging.destination=events', 'messaging.rabbitmq.routing_key=mails');
    const { notes } = tell(...[...range(0, 4).map(whole), send(4), whole(5)].map(rename));
    assert.match(notes.join(), /^not judged: web → events \(1 message\): mailer received others there/);
  });
});

test('messages to queues with one message each, such as reply queues, share one note', () => {
  const reply = (at: number) => (drawn: string) => drawn.replaceAll('name=mails', `name=amq.gen-${at}`);
  const { result, notes } = tell(
    `trace 900\n  web CLIENT "GET" 0..9 http.request.method=GET url.full=http://mailer/\n    mailer SERVER "GET" 1..8 http.request.method=GET url.path=/\n`,
    ...range(0, 8).map((at) => reply(at)(began(at) + send(at + 10))),
  );
  assert.equal(result.unjudged?.length, 9);
  assert.equal(notes.length, 1);
  assert.match(
    notes[0] ?? '',
    /^not judged: web → amq.gen-0 \(1 message\), .* and 3 more and mailer \(8 messages\): no CONSUMER span here has the messages of the one .*; name the edge with --expect "web -> mailer" and check again$/,
  );
});

suite('batches that link to some of their messages', () => {
  const batch = (at: number, messages: readonly number[], size: number, more = '') =>
    began(
      at,
      `${messages.map((name) => `link:m${name}`).join(' ')} messaging.batch.message_count=${size} ${more}`,
    );
  const listWhy = ({ result }: Told) =>
    result.unjudged?.map(({ why, calls, facts }) => [why ?? null, calls, facts?.join() ?? null]);
  const five = range(0, 5).map((at) => send(at));

  test('messages that the batches do not link to are noted', () => {
    const told = tell(...five, batch(6, [0, 1, 2], 5));
    assert.equal(told.result.verdict, 'intact');
    assert.deepEqual(listWhy(told), [['short-batch', 2, 'batches of mailer link to 3 of their 5 messages']]);
    assert.match(
      told.notes.join(),
      /^not judged: web → mails \(2 messages\): batches of mailer link to 3 of their 5 messages, and as many others, sent before, are in none: /,
    );
  });

  test('leave the edge open if they do not link to most of its messages', () => {
    const { result } = tell(...range(0, 3).map((at) => send(at)), batch(6, [0], 3));
    assert.equal(result.verdict, 'unknown');
    assert.match(
      result.undecided?.[0]?.says ?? '',
      /^1 of 3 messages judged: batches of mailer link to 1 of/,
    );
  });

  test('are noted beside later messages that nobody received', () => {
    const told = tell(...five, batch(6, [0, 1, 2], 5), send(7), ...range(8, 18).map(whole));
    assert.deepEqual(
      listWhy(told)?.map(([why, calls]) => [why, calls]),
      [
        ['short-batch', 2],
        [null, 1],
      ],
    );
  });

  test('are not noted if their other messages have no PRODUCER span', () => {
    assert.equal(tell(...five, batch(6, [0, 1, 2, 3, 4], 8)).result.unjudged, undefined);
  });
  test('are not noted if the numbers differ', () => {
    assert.deepEqual(listWhy(tell(...five, batch(6, [0, 1, 2], 9))), [['waiting', 2, null]]);
  });
  test('are not noted if the SDK counts dropped links', () => {
    const told = tell(...five, batch(6, [0, 1, 2], 5, 'otel.dropped_links_count=2'));
    assert.ok(!listWhy(told)?.some(([why]) => why === 'short-batch'));
  });
  const mayBeLimited = (links: number) =>
    `each links to ${links}, which may be a limit (OTEL_SPAN_LINK_COUNT_LIMIT)`;
  test('may be limited if all link to the same number of messages', () => {
    const limited = [batch(6, [0, 1], 3), send(7), send(8), send(9), batch(10, [7, 8], 3)];
    const told = tell(...range(0, 3).map((at) => send(at)), ...limited);
    assert.equal(told.result.verdict, 'intact');
    assert.deepEqual(listWhy(told), [
      ['short-batch', 2, `batches of mailer link to 4 of their 6 messages,${mayBeLimited(2)}`],
    ]);
    assert.match(
      told.notes.join(),
      /^not judged: web → mails \(2 messages\): batches of mailer link to 4 of their 6 messages, and as many others, sent before, are in none: each links to 2, .*, or the sender wrote no context/,
    );
  });
  test('may be limited if one has as many links as SDKs allow', () => {
    const judge = (links: number) =>
      listWhy(tell(...range(0, 130).map((at) => send(at)), batch(140, range(0, links), 130)));
    const told = (links: number) => `batches of mailer link to ${links} of their 130 messages`;
    assert.deepEqual(judge(128), [['short-batch', 2, `${told(128)},${mayBeLimited(128)}`]]);
    assert.deepEqual(judge(127), [['short-batch', 3, told(127)]]);
  });
});

suite('a destination that its receiver names differently', () => {
  const topic = kafka.replace('=mails', '=persistent://public/default/mails');
  const rename = (drawing: string) => drawing.replaceAll(/(PRODUCER .*)messaging\.system.*/g, `$1${topic}`);
  const half = [whole(0), ...range(1, 5).map(cut), whole(5)].map(rename);

  test('has the messages that began traces, if whole messages show both names', () => {
    const { result, notes } = tell(...half);
    assert.deepEqual(
      result.unjudged?.map(({ peer, calls, began, mayBe }) => [peer, calls, began, mayBe]),
      [
        ['persistent://public/default/mails', 4, 4, undefined],
        ['mailer', 4, undefined, ['web']],
      ],
    );
    assert.match(
      result.undecided?.[0]?.says ?? '',
      /4 messages to persistent:\/\/public\/default\/mails as parent or link, and 4 messages of it from there began traces/,
    );
    assert.equal(notes.length, 1);
    assert.match(
      notes[0] ?? '',
      /^not judged: web → persistent:.* \(4 messages\) and mailer \(4 messages\): /,
    );
  });

  test('has no messages of a name that no whole message shows for it', () => {
    const letters = (drawing: string) =>
      drawing.replaceAll(/(trace 50\d\n.*| CONSUMER .*)name=mails/g, '$1name=letters');
    const other = letters(rename(whole(6))).replace('default/mails', 'default/letters');
    for (const more of ['', other]) {
      const { result } = tell(
        ...half.map((drawing) => (drawing.includes('trace 50') ? letters(drawing) : drawing)),
        more,
      );
      const [sent] = result.unjudged ?? [];
      assert.deepEqual(
        [sent?.peer, sent?.calls, sent?.began],
        ['persistent://public/default/mails', 4, undefined],
      );
    }
  });

  test('may have senders that use other names, if all messages of one name were received', () => {
    const { result } = tell(...range(0, 5).map(whole).map(rename), began(5), rename(whole(6)));
    assert.deepEqual(
      result.unjudged?.map(({ peer, calls, mayBe }) => [peer, calls, mayBe]),
      [['mailer', 1, undefined]],
    );
  });
});
