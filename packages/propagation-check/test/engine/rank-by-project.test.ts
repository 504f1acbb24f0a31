import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProjectHint } from '../../src/rules/project-hint.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from './read-drawing.ts';

const { spans, expectation } = readDrawing(`
trace 1
  web    SERVER "GET /a" 0..10 http.request.method=GET url.path=/a
    web    CLIENT "GET" 1..9 http.request.method=GET url.full=http://orders:80/a http.response.status_code=200
trace 2
  orders SERVER "GET /a" 2..8 http.request.method=GET url.path=/a server.port=80
`);

const stripped: ProjectHint = {
  check: 'nginx-drops-headers',
  leadsTo: ['header-stripped'],
  service: null,
  ...{ file: 'gateway/nginx.conf', line: 6, column: 5 },
  says: 'proxy_set_header traceparent "" removes the header',
};
const ignored: ProjectHint = {
  ...stripped,
  check: 'propagators-none',
  leadsTo: ['header-not-sent', 'header-ignored'],
  service: 'orders',
};

function judge(project: readonly ProjectHint[]) {
  const [finding] = checkTraces(spans, { expectation, project }).findings;
  assert.equal(finding?.id, 'split-trace');
  return finding;
}

describe('files of the project', () => {
  it('raise the candidate for which they show a fault, with file and line, and change nothing else', () => {
    const plain = judge([]);
    assert.equal(plain.candidates?.[0], 'header-not-sent');
    assert.equal(plain.project, undefined);
    const { project, candidates, fix, ...rest } = judge([stripped]);
    assert.deepEqual(project, [
      {
        check: 'nginx-drops-headers',
        ...{ file: 'gateway/nginx.conf', line: 6, column: 5 },
        says: 'proxy_set_header traceparent "" removes the header',
      },
    ]);
    assert.equal(candidates?.[0], 'header-stripped');
    assert.deepEqual([...(candidates ?? [])].sort(), [...(plain.candidates ?? [])].sort());
    assert.match(fix, /^if header-stripped: /);
    const { candidates: _, fix: __, ...plainRest } = plain;
    assert.deepEqual(rest, plainRest);
  });

  it('count for their own side: a setting of the callee is no cause in the caller', () => {
    assert.equal(judge([ignored]).candidates?.[0], 'header-ignored');
    assert.equal(judge([{ ...ignored, service: 'web' }]).candidates?.[0], 'header-not-sent');
  });

  it('count for either service if the cause may be in both', () => {
    for (const [service, cause] of [
      ['web', 'header-stripped'],
      ['orders', 'header-stripped'],
      ['stock', 'header-not-sent'],
    ] as const)
      assert.equal(judge([{ ...stripped, service }]).candidates?.[0], cause, service);
  });

  it('count on calls between the services that they separate', () => {
    for (const [apartFrom, cause] of [
      [['web'], 'header-ignored'],
      [['stock', 'web'], 'header-ignored'],
      [['stock'], 'header-not-sent'],
      [['orders'], 'header-not-sent'],
      [[null], 'header-ignored'],
      [[], 'header-not-sent'],
    ] as const)
      assert.equal(judge([{ ...ignored, apartFrom }]).candidates?.[0], cause, String(apartFrom));
    const apart = (other: string) => judge([{ ...stripped, service: 'web', apartFrom: [other] }]).project;
    assert.deepEqual([apart('orders')?.length, apart('stock')], [1, undefined]);
  });

  it('are named once for all their causes, and the other candidates keep their order', () => {
    const plain = judge([]).candidates ?? [];
    const both = { ...stripped, leadsTo: ['header-malformed', 'header-stripped'] as const };
    const { project = [], candidates } = judge([both]);
    assert.equal(project.length, 1);
    const raised = plain.filter((cause) => both.leadsTo.some((other) => other === cause));
    assert.equal(raised.length, 2);
    assert.deepEqual(candidates, [...raised, ...plain.filter((cause) => !raised.includes(cause))]);
  });

  it('have no effect if they are of another service, or of causes that are no candidates', () => {
    assert.equal(judge([{ ...ignored, service: 'stock' }]).project, undefined);
    assert.equal(judge([{ ...stripped, leadsTo: ['not-sampled'] }]).project, undefined);
  });

  it('are those of the service at fault, if a folder has its name', () => {
    const named = new Set(['web', 'orders', 'stock']);
    const of = (...owners: readonly string[]): ProjectHint => ({
      ...{ ...stripped, check: 'node-no-instrumentation', leadsTo: ['header-ignored'] },
      ...{ owners, named },
    });
    assert.equal(judge([of('orders')]).candidates?.[0], 'header-ignored');
    assert.equal(judge([of('stock', 'orders')]).candidates?.[0], 'header-ignored');
    assert.equal(judge([of()]).project?.length, 1);
    assert.deepEqual([judge([of('web')]).project, judge([of('stock')]).project], [undefined, undefined]);
  });

  it('say that they may be of another service, if no folder has the name of the service at fault', () => {
    const hint: ProjectHint = {
      ...{ ...stripped, leadsTo: ['header-ignored'] },
      ...{ owners: ['shop'], named: new Set(['shop', 'web']) },
    };
    const [file] = judge([hint]).project ?? [];
    assert.match(file?.says ?? '', /; may be of another service: no folder, .* is named web or orders$/);
  });
});
