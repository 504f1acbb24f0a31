/**
 * Sends hostile headers on real sockets to the real services. Service A, which trusts either nobody or everybody, calls a stand-in that
 * answers with the headers that it received. Service B is called as service A calls it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Service, sendRaw, standInForB, startService } from 'service-kit/testing';
import { type HostileCase, hostileCases, traceId } from './support/hostile-headers.ts';

for (const mode of ['auto', 'manual'] as const) {
  describe(`${hostileCases.length} hostile headers, with PROPAGATION=${mode}`, async () => {
    using standIn = await standInForB();
    const env = { PROPAGATION: mode, LOG_SPANS: 'true', LOG_LEVEL: 'trace' };
    const toStandIn = { ...env, SERVICE_B_URL: standIn.url };
    await using wary = await startService('service-a', { ...toStandIn, TRUST_INCOMING: 'never' });
    await using trusting = await startService('service-a', { ...toStandIn, TRUST_INCOMING: 'always' });
    await using serviceB = await startService('service-b', env);

    const observed = [];
    for (const one of hostileCases) {
      const ofWary = await sendRaw(wary.url, '/call-b', one.headers);
      const fromWary = one.outcome === 'refused' ? undefined : standIn.received.at(-1);
      const ofTrusting = await sendRaw(trusting.url, '/call-b', one.headers);
      const fromTrusting = one.outcome === 'refused' ? undefined : standIn.received.at(-1);
      const ofB = await sendRaw(serviceB.url, '/work', one.headers);
      observed.push({ one, ofWary, fromWary, ofTrusting, fromTrusting, ofB });
    }
    const { length: calls } = standIn.received;
    const targets = [
      '/no\u009b31m',
      '/\u0085\u007f?a=\u009b',
      '/call-b/%1b%5b2J',
      '/%c0%zz',
      'http://\u009b@x/no',
    ];
    for (const target of targets) {
      for (const { url } of [wary, serviceB]) await sendRaw(url, target, []);
    }
    const alive = await Promise.all(
      [wary, trusting, serviceB].map(({ url }) => sendRaw(url, '/healthz', [])),
    );
    const ended = await Promise.all([wary, trusting, serviceB].map((service) => service.stop()));

    for (const { one, ofWary, fromWary, ofTrusting, fromTrusting, ofB } of observed) {
      test(one.name, () => {
        const statuses = [ofWary.status, ofTrusting.status, ofB.status];
        if (one.outcome === 'refused') {
          for (const status of statuses) assert.ok([400, 431].includes(status), String(status));
          return;
        }
        assert.deepEqual(statuses, [200, 200, 200]);
        const own = mode === 'manual' ? 'hello=world' : undefined;
        assert.notEqual(readTraceId(fromWary?.traceparent), traceId);
        assert.deepEqual([fromWary?.tracestate, fromWary?.baggage], [undefined, own]);

        assert.equal(readTraceId(fromTrusting?.traceparent) === traceId, one.outcome === 'continue');
        assert.equal(fromTrusting?.tracestate, one.tracestate);
        assert.equal(fromTrusting?.baggage, joinBaggage(one, own));

        const work = JSON.parse(ofB.body);
        assert.equal(work.trace_id === traceId, one.outcome === 'continue');
        assert.equal(Object.keys(work.baggage).length, one.baggage?.split(',').length ?? 0);
      });
    }

    test('none of them ends a service or its answers', () => {
      assert.deepEqual(
        alive.map(({ status }) => status),
        [200, 200, 200],
      );
      assert.deepEqual(ended, Array(3).fill({ code: 0, signal: null }));
      assert.equal(calls, 2 * hostileCases.filter(({ outcome }) => outcome !== 'refused').length);
    });

    for (const service of [wary, trusting, serviceB]) {
      test('each log line is one JSON object, and a terminal shows it as it is', () =>
        assertHarmless(service));
    }
  });
}

/** A list of 180 entries, the maximum, has no room for the service's own entry. */
function joinBaggage({ baggage }: HostileCase, own: string | undefined): string | undefined {
  if (baggage === undefined || own === undefined) return baggage ?? own;
  return baggage.split(',').length === 180 ? baggage : `${baggage},${own}`;
}

function readTraceId(traceparent: unknown): string {
  assert.match(String(traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/);
  return String(traceparent).slice(3, 35);
}

/** `startService` has already parsed each line of stdout as JSON. */
function assertHarmless({ text }: Service): void {
  const printed = text.stdout.split('\n').filter((line) => line !== '');
  const errors = text.stderr.split('\n').filter((line) => line !== '');
  assert.ok(printed.length > hostileCases.length);
  for (const line of errors) assert.equal(typeof JSON.parse(line), 'object');
  // Control characters: C0, DEL and C1.
  assert.deepEqual(
    [...printed, ...errors].filter((line) => /\p{Cc}/u.test(line)),
    [],
  );
}
