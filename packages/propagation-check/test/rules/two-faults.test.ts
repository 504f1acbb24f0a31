import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readFixtureText } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const web = (at: number) =>
  `web SERVER "GET /call" ${at}..${at + 100} http.request.method=GET url.path=/call`;
const client = (at: number) => drawClient({ from: at + 10, to: at + 90 });
const server = (at: number) => drawServer({ from: at + 20, to: at + 80 });

/** The drawing of a fixture without its expectations. */
function draw(name: string): string {
  return `${readFixtureText(`${name}.txt`).replace(/^(expect|traceresponse) .*\n/gm, '')}\n`;
}

/** A call of `web` at 20 s that is broken in another way, in traces 90 and 91, and the finding that names it. */
const others = {
  'its header is lost': {
    drawing: drawChain(90, web(20_000), client(20_000)) + drawChain(91, server(20_000)),
    finding: 'split-trace',
  },
  'its header is lost behind a proxy': {
    drawing:
      drawChain(90, web(20_000), client(20_000).replace('8082', '9000')) + drawChain(91, server(20_000)),
    finding: 'split-trace',
  },
  'its CLIENT span is lost': {
    drawing: `trace 90\n  ${web(20_000)}\n  lost\n    ${server(20_000)}\n`,
    finding: 'client-span-lost',
  },
} as const;

suite('two faults of one edge', () => {
  for (const name of [
    'stale-context/broken',
    'context-lost-in-process/broken',
    'context-lost-in-process/broken-displaced-share',
  ]) {
    const alone = judgeDrawing(draw(name)).filter((line) => line.startsWith('error'));
    for (const [other, { drawing, finding }] of Object.entries(others)) {
      test(`${name} is found beside a call of which ${other}`, () => {
        const found = judgeDrawing(draw(name) + drawing);
        for (const line of alone) assert.ok(found.includes(line), `${line}, found ${found.join(', ')}`);
        assert.ok(
          found.some((line) => line.includes(` ${finding} web -> orders`)),
          found.join(', '),
        );
      });
    }
  }

  test('some calls of hand-made spans are split beside others whose context is lost in the caller', () => {
    const lost = draw('context-lost-in-process/broken')
      .replaceAll('trace ', 'trace 9')
      // Not whole seconds, with which a timer could stay in step.
      .replace('every 1000', 'every 1370')
      .replaceAll(/(\d+)\.\.(\d+)/g, (_, from, to) => `${60_000 + Number(from)}..${60_000 + Number(to)}`);
    const found = judgeDrawing(draw('split-trace/broken-partly-split-share') + lost);
    for (const id of ['split-trace', 'context-lost-in-process'])
      assert.ok(
        found.some((line) => line.startsWith(`error ${id} web -> orders`)),
        found.join(', '),
      );
  });
});
