import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { explainDrawing, judgeDrawing } from './judge-drawing.ts';

const invokes = (name: string) =>
  `rpc.system=aws-api rpc.service=Lambda rpc.method=Invoke faas.invoked_name=${name}`;

interface Invocation {
  readonly at: number;
  /** How long the call takes. */
  readonly takes?: number;
  readonly client?: string;
  readonly name?: string;
}

const invoke = ({ at, takes = 70, client = 'shop', name = 'resize' }: Invocation): string =>
  `trace ${at}\n  ${client} CLIENT "Invoke" ${at}..${at + takes} ${invokes(name)}\n`;

interface Run {
  readonly at: number;
  /** How long it takes. */
  readonly takes?: number;
  readonly server?: string;
  readonly name?: string;
  readonly extra?: string;
}

const run = ({ at, takes = 40, server = 'images', name = 'resize', extra = '' }: Run): string =>
  `trace ${at + 7}\n  ${server} SERVER "run" ${at}..${at + takes} resource:faas.name=${name} ${extra}\n`;

const times = [1_000, 1_130, 1_900, 2_410];
const split = (count: number) => [`error split-trace shop -> images ${count}`];

suite('invocations of a function', () => {
  test('pair with the requests within them', () => {
    const drawing = times.map((at) => invoke({ at }) + run({ at: at + 10 })).join('');
    assert.deepEqual(judgeDrawing(drawing), split(4));
    assert.deepEqual(judgeDrawing(invoke({ at: 1_000 }) + run({ at: 1_010 })), split(1));
  });

  test('pair in order if the function runs later, from three on', () => {
    const draw = (some: readonly number[]) =>
      some.map((at) => invoke({ at, takes: 5 }) + run({ at: at + 30 })).join('');
    assert.deepEqual(judgeDrawing(draw(times)), split(4));
    assert.deepEqual(judgeDrawing(draw(times.slice(0, 3))), split(3));
    assert.deepEqual(judgeDrawing(draw(times.slice(0, 2))), []);
    assert.deepEqual(judgeDrawing(draw(times) + run({ at: 5_000 })), []);
    assert.deepEqual(judgeDrawing(draw(times) + invoke({ at: 5_000, takes: 5 })), []);
  });

  test('pair also if a few have no request, or a few requests come from elsewhere', () => {
    const draw = (sent: number, received: number): string =>
      Array.from({ length: sent }, (_, index) => {
        const at = 1_000 + index * 400 + index ** 2 * 7;
        return invoke({ at }) + (index < received ? run({ at: at + 10 }) : '');
      }).join('');
    assert.deepEqual(judgeDrawing(draw(10, 9)), split(9));
    assert.deepEqual(judgeDrawing(draw(10, 8)), []);
    assert.deepEqual(judgeDrawing(draw(10, 10) + run({ at: 900 })), split(10));
  });

  test('are divided by function', () => {
    const other = times.map(
      (at) => invoke({ at: at + 20, name: 'mail' }) + run({ at: at + 30, name: 'mail', server: 'mails' }),
    );
    const own = times.map((at) => invoke({ at }) + run({ at: at + 12 }));
    assert.deepEqual(judgeDrawing([...own, ...other].join('')).toSorted(), [
      ...split(4),
      'error split-trace shop -> mails 4',
    ]);
  });

  test('do not pair with requests that began before them', () => {
    const drawing = times
      .map((at, index) => invoke({ at }) + run({ at: index === 0 ? at - 1 : at }))
      .join('');
    assert.deepEqual(judgeDrawing(drawing), []);
    assert.ok(
      explainDrawing(drawing).includes(
        'SERVER of images: split-trace: each began after its invocation: not all of 4',
      ),
    );
    assert.deepEqual(judgeDrawing(times.map((at) => invoke({ at }) + run({ at })).join('')), split(4));
  });

  test('do not pair with requests of a service without a name, beside calls of no function', () => {
    const calls = times.map(
      (at) => `trace ${at}
  shop CLIENT "GET" ${at}..${at + 70} http.request.method=GET url.full=http://stock:8082/items
trace ${at + 7}
  - SERVER "run" ${at + 10}..${at + 50}
`,
    );
    assert.deepEqual(judgeDrawing(invoke({ at: 5_000 }) + calls.join('')), [
      'warning service-unnamed null -> null 4',
    ]);
  });

  for (const [what, drawing] of [
    [
      'requests of two services with the name of the function',
      times.map(
        (at, index) => invoke({ at }) + run({ at: at + 10, server: index === 0 ? 'thumbs' : 'images' }),
      ),
    ],
    [
      'invocations by two services',
      times.map((at, index) => invoke({ at, client: index === 0 ? 'cms' : 'shop' }) + run({ at: at + 10 })),
    ],
    [
      'requests of other triggers',
      times.map((at) => invoke({ at }) + run({ at: at + 10, extra: 'faas.trigger=http' })),
    ],
    ['requests of another function', times.map((at) => invoke({ at }) + run({ at: at + 10, name: 'mail' }))],
    [
      'requests at any time beside others',
      [
        ...times.map((at) => invoke({ at })),
        ...Array.from({ length: 30 }, (_, at) => run({ at: 900 + at * 60, takes: 20 })),
      ],
    ],
    [
      'requests that fit another invocation as well',
      [1_000, 1_001].flatMap((at) => [invoke({ at }), run({ at: at + 10 })]),
    ],
  ] as const)
    test(`do not pair with ${what}`, () => assert.deepEqual(judgeDrawing(drawing.join('')), []));
});

suite('functions with one name in several places', () => {
  const arn = (region: string, account = '111111111111', alias = '') =>
    `arn:aws:lambda:${region}:${account}:function:resize${alias}`;
  const eu = arn('eu-central-1');
  const draw = (name: string, extra: string) =>
    times.map((at) => invoke({ at, name }) + run({ at: at + 10, extra })).join('');

  for (const [what, name, extra] of [
    ['region', eu, `cloud.resource_id=${arn('us-east-1')}`],
    ['region of the resource', eu, 'resource:cloud.region=us-east-1'],
    ['recorded region', 'resize faas.invoked_region=eu-central-1', `faas.id=${arn('us-east-1')}`],
    ['account', eu, `cloud.resource_id=${arn('eu-central-1', '222222222222')}`],
    ['account of the resource', eu, 'resource:cloud.account.id="222222222222"'],
    ['alias', `${eu}:live`, `aws.lambda.invoked_arn=${eu}:beta`],
    ['alias of a name', 'resize:live', `aws.lambda.invoked_arn=${eu}:beta`],
  ] as const)
    test(`of another ${what} are no pair`, () => assert.deepEqual(judgeDrawing(draw(name, extra)), []));

  for (const [what, name, extra] of [
    ['ARN', eu, `cloud.resource_id=${eu}`],
    ['region', eu, 'resource:cloud.region=eu-central-1'],
    ['recorded region', 'resize faas.invoked_region=eu-central-1', `faas.id=${eu}`],
    ['account', '111111111111:function:resize', 'resource:cloud.account.id="111111111111"'],
    ['alias', `${eu}:live`, `aws.lambda.invoked_arn=${eu}:live`],
    ['name with an alias, which a version runs', 'resize:live', `cloud.resource_id=${eu}:7`],
    ['name, of which the place is unknown', eu, ''],
  ] as const)
    test(`of one ${what} are pairs`, () => assert.deepEqual(judgeDrawing(draw(name, extra)), split(4)));

  test('do not disturb each other', () => {
    const us = arn('us-east-1');
    const both = times.map((at) =>
      [
        invoke({ at, name: eu }),
        run({ at: at + 10, extra: `cloud.resource_id=${eu}` }),
        invoke({ at: at + 1, name: us, client: 'blog' }),
      ].join(''),
    );
    assert.deepEqual(judgeDrawing(both.join('')), split(4));
  });

  test('are no pairs if in order the requests are of the other place', () => {
    const inOrder = (regions: readonly string[]) =>
      judgeDrawing(
        times
          .map((at, index) => {
            const extra = `cloud.resource_id=${arn(regions[index] ?? '')}`;
            const name = arn(index % 2 === 0 ? 'eu-central-1' : 'us-east-1');
            return invoke({ at, takes: 5, name }) + run({ at: at + 30, extra });
          })
          .join(''),
      );
    assert.deepEqual(inOrder(['eu-central-1', 'us-east-1', 'eu-central-1', 'us-east-1']), split(4));
    assert.deepEqual(inOrder(['eu-central-1', 'us-east-1', 'us-east-1', 'eu-central-1']), []);
  });
});

interface Workflow {
  readonly at: number;
  readonly id: string;
  readonly client?: string;
  readonly server?: string;
  readonly verb?: string;
  readonly extra?: string;
}
const start = ({ at, id, client = 'api', verb = 'Start', extra = '' }: Workflow): string =>
  `trace ${at}\n  ${client} INTERNAL "${verb}Workflow:Order" ${at}..${at + 20} temporalWorkflowID=${id} ${extra}\n`;
const runs = ({ at, id, server = 'worker' }: Workflow): string =>
  `trace ${at + 3}\n  ${server} INTERNAL "RunWorkflow:Order" ${at + 30}..${at + 300} temporalWorkflowID=${id}\n`;
const whole = (workflow: Workflow): string =>
  `${start(workflow)}    worker INTERNAL "RunWorkflow:Order" ${workflow.at + 30}..${workflow.at + 300} temporalWorkflowID=${workflow.id}\n`;
const ofWorkflows = (count: number) => [`error split-trace api -> worker ${count}`];

suite('workflows', () => {
  test('pair by id', () => {
    const one = { at: 1_000, id: 'a' };
    const two = { at: 2_000, id: 'b' };
    assert.deepEqual(judgeDrawing(start(one) + runs(one)), ofWorkflows(1));
    assert.deepEqual(judgeDrawing(start(one) + runs(one) + invoke({ at: 5_000 })), ofWorkflows(1));
    assert.deepEqual(judgeDrawing(start(one) + runs(two)), []);
    assert.deepEqual(judgeDrawing(start(one) + start(two) + runs(one) + runs(two)), ofWorkflows(2));
    assert.deepEqual(judgeDrawing(whole(one) + start(two) + runs(two)), ofWorkflows(1));
    assert.deepEqual(judgeDrawing(runs(one)), []);
    assert.deepEqual(judgeDrawing(start(one)), []);
  });

  test('are reported on the edge of their own services', () => {
    const one = { at: 1_000, id: 'a' };
    const two = { at: 2_000, id: 'b', client: 'cron', server: 'batch' };
    assert.deepEqual(judgeDrawing(start(one) + runs(one) + start(two) + runs(two)), [
      ...ofWorkflows(1),
      'error split-trace cron -> batch 1',
    ]);
  });

  test('do not pair by an id of several services or runs', () => {
    const one = { at: 1_000, id: 'a' };
    const again = { at: 2_000, id: 'a' };
    assert.deepEqual(judgeDrawing(start(one) + runs(one) + start(again) + runs(again)), ofWorkflows(2));
    assert.deepEqual(judgeDrawing(start(one) + runs(one) + runs(again)), []);
    assert.deepEqual(judgeDrawing(start(one) + runs(one) + start(again)), []);
    assert.deepEqual(
      judgeDrawing(start(one) + runs(one) + start({ ...again, client: 'cron' }) + runs(again)),
      [],
    );
    assert.deepEqual(
      judgeDrawing(start(one) + runs(one) + start(again) + runs({ ...again, server: 'batch' })),
      [],
    );
  });

  test('do not pair with starts that were continued, failed or only signalled', () => {
    const one = { at: 1_000, id: 'a' };
    const later = { at: 2_000, id: 'a' };
    assert.deepEqual(judgeDrawing(whole(one) + runs(later)), []);
    assert.deepEqual(judgeDrawing(start({ ...one, extra: 'status:ERROR' }) + runs(one)), []);
    assert.deepEqual(judgeDrawing(start({ ...one, verb: 'SignalWithStart' }) + runs(one)), ofWorkflows(1));
    assert.deepEqual(
      judgeDrawing(whole(one) + start({ ...later, verb: 'SignalWithStart' }) + runs(later)),
      [],
    );
    assert.deepEqual(judgeDrawing(whole(one) + start(later) + runs(later)), ofWorkflows(1));
  });
});

for (const [file, edge] of [
  ['healthy-workflow', 'api -> worker'],
  ['broken-activity-ids', 'worker -> pay'],
  ['broken-workflow-ids', 'api -> worker'],
] as const) {
  test(`Temporal has a protocol of its own, whatever the kinds of its spans: ${file}`, () => {
    const { spans, expectation } = readDrawing(
      readFileSync(new URL(`../../fixtures/split-trace/${file}.txt`, import.meta.url), 'utf8'),
    );
    const { edges, findings } = checkTraces(spans, { expectation });
    const protocols = [...edges, ...findings].map(({ client, server, protocol }) => [
      `${client} -> ${server}`,
      protocol,
    ]);
    assert.ok(protocols.length > 0);
    for (const each of protocols) assert.deepEqual(each, [edge, 'internal']);
  });
}
