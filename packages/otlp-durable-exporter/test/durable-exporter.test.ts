import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { createTraceState } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { type Answer, accept, answerWith, findFreePort, startReceiver } from './start-receiver.ts';
import {
  endSpans,
  exportSpans,
  listen,
  makeFolder,
  startDelivery,
  waitUntil,
  withoutRetries,
} from './support.ts';

const nothingDropped = { backlog_full: 0, refused: 0, rejected: 0, not_encoded: 0, not_saved: 0 };

test('the stock exporter delivers while the receiver answers', async (t) => {
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url);
  for (const name of ['first', 'second', 'third']) {
    exportSpans(delivery, name);
    await delivery.forceFlush();
  }
  assert.deepEqual(receiver.accepted, ['first', 'second', 'third']);
  assert.deepEqual(delivery.counts, {
    exported: 3,
    dropped: nothingDropped,
    restored: 0,
    queued: 0,
    backlogBytes: 0,
  });
});

test('packs nothing while the receiver answers, although batches come faster than its answers', async (t) => {
  const held: ServerResponse[] = [];
  await using receiver = await startReceiver((response) => held.push(response));
  const delivery = startDelivery(t, receiver.url);
  const names = ['first', 'second', 'third', 'fourth'];
  for (const name of names) exportSpans(delivery, name);
  assert.deepEqual([delivery.counts.queued, delivery.counts.backlogBytes], [4, 0]);
  exportSpans(delivery, 'fifth');
  assert.notEqual(delivery.counts.backlogBytes, 0);
  await waitUntil(() => held.length === 1);
  receiver.answer = accept;
  for (const response of held) response.end('{}');
  await delivery.forceFlush();
  assert.deepEqual(receiver.accepted, [...names, 'fifth']);
});

test('an attempt without a result fails after its timeout, and is repeated', async (t) => {
  const said = listen();
  // An answer that never ends keeps the stock exporter waiting.
  await using receiver = await startReceiver((response) => response.writeHead(200).write('{'));
  const delivery = startDelivery(t, receiver.url, { attemptTimeoutMillis: 50 });
  exportSpans(delivery, 'span');
  await waitUntil(() => receiver.received.length > 1);
  receiver.answer = accept;
  await delivery.forceFlush();
  assert.equal(delivery.counts.exported, 1);
  assert.match(said.join('\n'), /does not take spans: no result within 50 ms/);
});

test('a stop delivers spans until its deadline', async (t) => {
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url, { shutdownTimeoutMillis: 30_000 });
  exportSpans(delivery, 'first', 'second');
  await Promise.all([delivery.shutdown(), delivery.shutdown()]);
  assert.deepEqual(receiver.accepted, ['first', 'second']);
});

test('with a spool a stop does not wait for a receiver that is down', async (t) => {
  await using receiver = await startReceiver(answerWith(401));
  await using folder = await makeFolder();
  const never = 2 ** 30;
  for (const expected of [1, 2]) {
    const delivery = startDelivery(t, receiver.url, {
      spoolDirectory: folder.path,
      patienceMillis: never,
      shutdownTimeoutMillis: never,
    });
    exportSpans(delivery, 'span');
    await delivery.shutdown();
    assert.equal(delivery.counts.queued, expected);
  }
  assert.equal((await readdir(folder.path)).length, 1);
});

test('after a stop it accepts no spans, and forceFlush rejects', async (t) => {
  await using receiver = await startReceiver(() => {});
  await using folder = await makeFolder();
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  exportSpans(delivery, 'before');
  const flushed = assert.rejects(
    delivery.forceFlush(),
    /1 spans are not delivered: the exporter is shut down/,
  );
  await delivery.shutdown();
  await flushed;
  let code: unknown;
  delivery.export(endSpans('after'), (result) => {
    code = result.code;
  });
  assert.equal(code, ExportResultCode.FAILED);
});

test('answers the batch processor at once, although the receiver does not answer', async (t) => {
  await using receiver = await startReceiver(() => {});
  const delivery = startDelivery(t, receiver.url);
  let answers = 0;
  for (let batch = 0; batch < 100; batch += 1) {
    delivery.export(endSpans('span'), ({ code }) => {
      if (code === 0) answers += 1;
    });
  }
  assert.equal(answers, 100);
  assert.equal(delivery.counts.queued, 100);
  receiver.answer = accept;
  await delivery.forceFlush();
  assert.equal(delivery.counts.exported, 100);
});

describe('keeps spans and delivers them once the receiver is well again, after', () => {
  const illnesses: Readonly<Record<string, Answer>> = {
    'no answer': () => {},
    'a connection that is cut': (_response, request) => request.socket.destroy(),
    'an answer that breaks off in its head': (_response, request) =>
      request.socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
    'status 307': answerWith(307, { location: 'http://127.0.0.1:9/' }),
    'status 401': answerWith(401),
    'status 403': answerWith(403),
    'status 404': answerWith(404),
    'status 408': answerWith(408),
    'status 429': answerWith(429),
    'status 500': answerWith(500),
    'status 502': answerWith(502),
    'status 503': answerWith(503, { 'retry-after': 'nonsense' }),
  };
  for (const [illness, answer] of Object.entries(illnesses)) {
    test(illness, async (t) => {
      const said = listen();
      await using receiver = await startReceiver(answer);
      const delivery = startDelivery(t, receiver.url, withoutRetries);
      exportSpans(delivery, 'first');
      exportSpans(delivery, 'second', 'third');
      await waitUntil(() => said.some((line) => line.includes('does not take spans')));
      receiver.answer = accept;
      await delivery.forceFlush();
      // Delivery is at least once: on a busy machine an answer may come too late, and the batch is sent again.
      assert.deepEqual([...new Set(receiver.accepted)].toSorted(), ['first', 'second', 'third']);
      assert.equal(delivery.counts.exported, 3);
      assert.deepEqual(delivery.counts.dropped, nothingDropped);
      // On a busy machine a slow attempt is a further failure.
      const reasons = said.flatMap(
        (line) => /does not take spans: (.+?)\. They are kept/.exec(line)?.[1] ?? [],
      );
      assert.deepEqual(reasons, [...new Set(reasons)]);
      assert.equal(said.filter((line) => line.includes('has taken all spans')).length, 1, said.join('\n'));
    });
  }

  test('the receiver was down', async (t) => {
    const said = listen();
    const port = await findFreePort();
    const delivery = startDelivery(t, `http://127.0.0.1:${port}`, withoutRetries);
    exportSpans(delivery, 'first');
    exportSpans(delivery, 'second');
    await waitUntil(() => said.some((line) => line.includes('does not take spans')));
    await using receiver = await startReceiver(accept, port);
    await delivery.forceFlush();
    assert.deepEqual([...new Set(receiver.accepted)].toSorted(), ['first', 'second']);
  });
});

test('says what to set when access is denied, without the token', async (t) => {
  const said = listen();
  await using receiver = await startReceiver(answerWith(401, {}, 'who are you?'));
  const delivery = startDelivery(t, receiver.url.replace('//', '//user:secret@'));
  exportSpans(delivery, 'span');
  await receiver.until(() => receiver.received.length >= 2);
  receiver.answer = accept;
  await delivery.forceFlush();
  const line = said.find((words) => words.includes('does not take spans')) ?? '';
  assert.match(line, /asks for a token \(401\).*OTEL_EXPORTER_OTLP_HEADERS/);
  assert.doesNotMatch(said.join('\n'), /secret/);
});

test('says what to set when the receiver does not use TLS', async (t) => {
  const said = listen();
  await using receiver = await startReceiver();
  // The receiver does not use TLS.
  const delivery = startDelivery(t, receiver.url.replace('http:', 'https:'));
  exportSpans(delivery, 'span');
  await waitUntil(() => said.some((line) => line.includes('does not take spans')));
  assert.match(said.join('\n'), /speaks no TLS; use http:\/\/ in OTEL_EXPORTER_OTLP_ENDPOINT/);
  assert.equal(delivery.counts.queued, 1);
});

for (const status of [400, 413, 415, 422]) {
  test(`a batch that is refused with status ${status} is counted and reported, and does not delay others`, async (t) => {
    const said = listen();
    await using receiver = await startReceiver((response, _request, names) =>
      (names.includes('bad') ? answerWith(status, {}, 'not like this') : accept)(response, _request, names),
    );
    const delivery = startDelivery(t, receiver.url);
    exportSpans(delivery, 'bad', 'worse');
    exportSpans(delivery, 'good');
    await delivery.forceFlush();
    assert.deepEqual(receiver.accepted, ['good']);
    assert.equal(delivery.counts.exported, 1);
    assert.deepEqual(delivery.counts.dropped, { ...nothingDropped, refused: 2 });
    assert.ok(
      said.some((line) => line.startsWith('2 spans are lost') && line.includes(`status ${status}`)),
      said.join('\n'),
    );
  });
}

test('a batch that fails again and again does not delay others', async (t) => {
  await using receiver = await startReceiver((response, request, names) =>
    (names.includes('poison') ? answerWith(500) : accept)(response, request, names),
  );
  const delivery = startDelivery(t, receiver.url);
  exportSpans(delivery, 'poison');
  for (const name of ['first', 'second', 'third']) exportSpans(delivery, name);
  await waitUntil(() => delivery.counts.exported === 3);
  assert.equal(delivery.counts.queued, 1);
  receiver.answer = accept;
  await delivery.forceFlush();
  assert.equal(delivery.counts.exported, 4);
});

const partly = (rejectedSpans: unknown) =>
  answerWith(200, {}, JSON.stringify({ partialSuccess: { rejectedSpans, errorMessage: 'too old' } }));

test('spans that the receiver rejects are counted and reported', async (t) => {
  const said = listen();
  await using receiver = await startReceiver(answerWith(503));
  const delivery = startDelivery(t, receiver.url, withoutRetries);
  exportSpans(delivery, 'first', 'second', 'third');
  await receiver.until(() => receiver.received.length >= 2);
  receiver.answer = partly('2');
  await delivery.forceFlush();
  assert.equal(delivery.counts.exported, 1);
  assert.deepEqual(delivery.counts.dropped, { ...nothingDropped, rejected: 2 });
  assert.match(said.join('\n'), /^2 spans are lost.*"too old"/m);
});

describe('so are those that it rejects of a first attempt:', () => {
  for (const [rejectedSpans, lost] of [
    ['2', 2],
    [2, 2],
    [1.5, 1],
    ['99', 3],
    [0, 0],
    [-1, 0],
    ['some', 0],
    [null, 0],
  ] as const) {
    test(`${JSON.stringify(rejectedSpans)} of 3`, async (t) => {
      const said = listen();
      await using receiver = await startReceiver();
      const delivery = startDelivery(t, receiver.url);
      // So that the next export reuses a connection.
      exportSpans(delivery, 'before');
      await delivery.forceFlush();
      receiver.answer = partly(rejectedSpans);
      exportSpans(delivery, 'first', 'second', 'third');
      await delivery.forceFlush();
      assert.equal(delivery.counts.exported, 4 - lost);
      assert.deepEqual(delivery.counts.dropped, { ...nothingDropped, rejected: lost });
      assert.equal(
        said.filter((line) => /^\d spans are lost.*"too old"/.test(line)).length,
        lost > 0 ? 1 : 0,
        said.join('\n'),
      );
    });
  }
});

describe('the answer says how it is encoded, whatever the request was in:', () => {
  const json = JSON.stringify({ partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } });
  // Protobuf: field 1 is a message with 2 in its field 1, and the text in its field 2.
  const protobuf = '\x0a\x0b\x08\x02\x12\x07too old';
  for (const [contentType, body] of [
    ['application/json; charset=utf-8', json],
    ['application/x-protobuf', protobuf],
    ['Application/X-Protobuf;charset=utf-8', protobuf],
    ['', json],
    ['', protobuf],
    ['text/plain', protobuf],
  ] as const) {
    test(`"${contentType}", ${body === json ? 'JSON' : 'protobuf'}`, async (t) => {
      const headers = contentType === '' ? {} : { 'content-type': contentType };
      await using receiver = await startReceiver(answerWith(200, headers, body));
      const delivery = startDelivery(t, receiver.url);
      exportSpans(delivery, 'first', 'second', 'third');
      await delivery.forceFlush();
      assert.deepEqual(delivery.counts.dropped, { ...nothingDropped, rejected: 2 });
    });
  }
});

test('after retries of the first attempt the last answer counts', async (t) => {
  await using receiver = await startReceiver((response, request, names) =>
    (receiver.received.length === 1
      ? answerWith(
          503,
          { 'retry-after': new Date(0).toUTCString() },
          JSON.stringify({ partialSuccess: { rejectedSpans: 1 } }),
        )
      : partly(2))(response, request, names),
  );
  // Long enough for a retry of the exporter, and shorter than its timeout.
  const delivery = startDelivery(t, receiver.url, { timeoutMillis: 10_000 });
  exportSpans(delivery, 'first', 'second', 'third');
  await delivery.forceFlush();
  assert.equal(receiver.received.length, 2);
  assert.deepEqual(delivery.counts.dropped, { ...nothingDropped, rejected: 2 });
});

test('spans that cannot be encoded are counted and reported, and do not delay others', async (t) => {
  const said = listen();
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url);
  const [span] = endSpans('unwritable');
  assert.ok(span);
  const traceState = createTraceState();
  traceState.serialize = () => assert.fail('cannot be read');
  span.links.push({ context: { ...span.spanContext(), traceState } });
  delivery.export([span], () => {});
  exportSpans(delivery, 'good');
  await delivery.forceFlush();
  assert.deepEqual(receiver.accepted, ['good']);
  assert.deepEqual(delivery.counts.dropped, { ...nothingDropped, not_encoded: 1 });
  assert.equal(delivery.counts.exported, 1);
  assert.match(said.join('\n'), /^1 spans are lost.*cannot be read/m);
  // A span that cannot be encoded is not an outage.
  assert.doesNotMatch(said.join('\n'), /does not take spans/);
});

test('waits as long as Retry-After says', async (t) => {
  await using receiver = await startReceiver(answerWith(503, { 'retry-after': '1' }));
  const delivery = startDelivery(t, receiver.url);
  exportSpans(delivery, 'span');
  await receiver.until(() => receiver.received.length === 2);
  const [first, second] = receiver.received;
  assert.ok(first && second && second.at - first.at >= 1_000);
  receiver.answer = accept;
  await delivery.forceFlush();
});

test('spans beyond the bound are counted and reported once; all others arrive', async (t) => {
  const said = listen();
  await using receiver = await startReceiver(answerWith(503));
  const maxBytes = 64 * 1024;
  const delivery = startDelivery(t, receiver.url, { maxBytes });
  const sent = 1_000;
  for (let batch = 0; batch < sent; batch += 1) {
    exportSpans(delivery, `span ${batch}`);
    assert.ok(delivery.counts.backlogBytes <= maxBytes);
  }
  const lost = delivery.counts.dropped.backlog_full;
  assert.ok(lost > 0 && lost < sent);
  receiver.answer = accept;
  await delivery.forceFlush();
  assert.equal(delivery.counts.exported, sent - lost);
  assert.equal(new Set(receiver.accepted).size, sent - lost);
  assert.equal(said.filter((line) => line.startsWith('Spans are lost from now on')).length, 1);
  assert.ok(
    said.some((line) => line.includes(`except ${lost} that are lost`)),
    said.join('\n'),
  );
});

test('the spans that an outage has lost do not include those of an earlier one', async (t) => {
  const said = listen();
  await using receiver = await startReceiver(() => {});
  const maxBytes = 8 * 1024;
  const delivery = startDelivery(t, receiver.url, { maxBytes });
  const lost: number[] = [];
  for (const outage of ['first', 'second']) {
    receiver.answer = () => {};
    const before = delivery.counts.dropped.backlog_full;
    // All batches are exported before an attempt fails.
    for (let batch = 0; batch < 100; batch += 1) exportSpans(delivery, `${outage} ${batch}`);
    lost.push(delivery.counts.dropped.backlog_full - before);
    receiver.answer = accept;
    await delivery.forceFlush();
  }
  assert.deepEqual(
    said.flatMap((line) => /except (\d+) that are lost/.exec(line)?.[1] ?? []),
    lost.map(String),
    said.join('\n'),
  );
});

test('without a spool a stop counts and reports lost spans', async (t) => {
  const said = listen();
  await using receiver = await startReceiver(() => {});
  const delivery = startDelivery(t, receiver.url);
  exportSpans(delivery, 'first');
  exportSpans(delivery, 'second', 'third');
  await delivery.shutdown();
  assert.equal(delivery.counts.dropped.not_saved, 3);
  assert.match(said.join('\n'), /^3 spans are lost.*no spool folder/m);
});

test('forceFlush gives up when the receiver does not answer, and the spans are kept', async (t) => {
  await using receiver = await startReceiver(() => {});
  const delivery = startDelivery(t, receiver.url, { patienceMillis: 50 });
  exportSpans(delivery, 'span');
  await assert.rejects(delivery.forceFlush(), /1 spans are not delivered: no others were for 50 ms/);
  assert.equal(delivery.counts.queued, 1);
});
