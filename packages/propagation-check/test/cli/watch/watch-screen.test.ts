import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { CallTracker, keyOf } from '../../../src/cli/watch/call-tracker.ts';
import { renderEdgesOnce, type WatchState } from '../../../src/cli/watch/render-edges.ts';
import {
  type Key,
  type Page,
  press,
  renderScreen,
  type Shown,
  shownAtFirst,
} from '../../../src/cli/watch/watch-screen.ts';
import type { SpanStore } from '../../../src/span/span-store.ts';
import { checkStore } from '../../../src/verdict/check-traces.ts';
import { makeCall, makeSplitCall, withServer } from './make-calls.ts';

const start = 1_800_000_000_000;
const secondMs = 1_000;

function watch(servers: number): WatchState {
  const tracker = new CallTracker({ settleMs: 0 });
  const check = (store: SpanStore) => checkStore(store, { mostEvidence: 1_000 });
  for (let index = 0; index < servers; index += 1) {
    const server = index === 0 ? 'orders' : `server-${index}`;
    const spans = [0, 1, 2].flatMap((second) => {
      const make = index === 1 && second === 1 ? makeSplitCall : makeCall;
      return make(`${index} ${second}`, start + second * 20 * secondMs);
    });
    const named = withServer(spans, server);
    for (const second of [0, 1, 2]) {
      const now = start + second * 20 * secondMs;
      const isNow = ({ startTimeUnixNano }: { startTimeUnixNano: bigint }) =>
        Math.abs(Number(startTimeUnixNano / 1_000_000n) - now) < 10 * secondMs;
      tracker.add(named.filter(isNow), now);
      tracker.judge(now, check);
    }
  }
  const now = start + 60 * secondMs;
  return {
    ...{ name: 'jaeger=http://localhost:16686', startedAt: start, now, away: null, notes: [] },
    ...{ edges: tracker.edges(now), counts: tracker.counts() },
  };
}

const layout = { color: false };
const few = watch(3);
const many = watch(40);

function show(state: WatchState, shown: Partial<Shown>, width: number, height: number): readonly string[] {
  return renderScreen(state, { ...shownAtFirst, ...shown }, { ...layout, width, height });
}

suite('the screen of watch', () => {
  for (const width of [60, 80, 140]) {
    test(`${width} columns`, (t) => {
      // Without the fix: the prose of findings has other tests.
      const text = `${show(few, {}, width, 12)
        .join('\n')
        .replace(/^fix: .*\n/m, '')}\n`;
      t.assert.fileSnapshot(text, join(import.meta.dirname, `screens/edges-${width}.txt`), {
        serializers: [String],
      });
    });
  }

  test('the README shows the screen of 80 columns', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
    const screen = show(few, {}, 80, 12).join('\n');
    assert.ok(readme.includes(`\n\`\`\`\n${screen.split('\nfix: ')[0]}\n\`\`\`\n`), screen);
  });

  test('fits the terminal exactly, at any size and with any content', () => {
    const long: Page = {
      title: 'x'.repeat(300),
      render: () => Array.from({ length: 50 }, (_, at) => `${at} ${'y'.repeat(at * 9)}`),
    };
    const away = { since: start, wasThere: true, why: `connection refused ${'z'.repeat(200)}` };
    const states = [few, many, { ...many, away, notes: ['n'.repeat(200)] }, { ...few, edges: [] }];
    const views: readonly Partial<Shown>[] = [
      {},
      { message: 'http://localhost:16686/trace/4bf92f3577b34da6a3ce929d0e0e4736' },
      { page: long },
      { page: long, scroll: 40 },
    ];
    for (const state of states) {
      for (const view of views) {
        for (const width of [1, 20, 40, 80, 200]) {
          for (const height of [1, 2, 5, 24, 60]) {
            const lines = show(state, view, width, height);
            assert.equal(lines.length, height);
            const widest = Math.max(...lines.map((line) => stringWidth(line)));
            assert.ok(widest <= Math.max(width, 40), `${widest} columns of ${width}: ${lines.join('\n')}`);
            if (width >= 40)
              assert.ok(widest <= width, `${widest} columns of ${width}:\n${lines.join('\n')}`);
          }
        }
      }
    }
  });

  test('shows why and how long a source is away', () => {
    const away = { since: few.now - 15 * secondMs, wasThere: true, why: 'connection refused' };
    assert.match(
      show({ ...few, away }, {}, 80, 12).join('\n'),
      /^away for 15 s, tried again: connection refused/m,
    );
    assert.match(
      show({ ...few, away: { ...away, wasThere: false } }, {}, 80, 12).join('\n'),
      /^not there for 15 s, tried again: connection refused/m,
    );
  });

  test('arrow keys select an edge, which stays visible and selected when the order changes', () => {
    const screen = { ...layout, width: 100, height: 12 };
    let shown = shownAtFirst;
    const after = (key: Key) => {
      shown = press(shown, key, many.edges, screen).shown;
      return renderScreen(many, shown, screen).find((line) => line.startsWith('>')) ?? 'nothing selected';
    };
    const names = many.edges.map(({ server }) => String(server));
    assert.match(renderScreen(many, shown, screen).join('\n'), new RegExp(`^> . web → ${names[0]} `, 'm'));
    assert.match(after('down'), new RegExp(` ${names[1]} `));
    assert.match(after('end'), new RegExp(` ${names.at(-1)} `));
    assert.match(after('pageup'), /server/);
    assert.match(after('up'), /server/);
    const { selected } = shown;
    const turned = { ...many, edges: many.edges.toReversed() };
    const line = renderScreen(turned, shown, screen).find((each) => each.startsWith('>')) ?? '';
    const edge = many.edges.find((each) => keyOf(each) === selected);
    assert.match(line, new RegExp(` ${edge?.server} `));
    assert.match(after('home'), new RegExp(` ${names[0]} `));
    assert.match(after('up'), new RegExp(` ${names[0]} `));
  });

  test('a page scrolls to its end, and Escape closes it', () => {
    const screen = { ...layout, width: 100, height: 12 };
    const page: Page = { title: 'page', render: () => Array.from({ length: 30 }, (_, at) => `line ${at}`) };
    let shown: Shown = { ...shownAtFirst, page };
    const read = (key: Key) => {
      shown = press(shown, key, few.edges, screen).shown;
      return renderScreen(few, shown, screen).join('\n');
    };
    assert.match(read('down'), /line 1\n/);
    assert.match(read('end'), /line 29/);
    const last = read('down');
    assert.match(last, /line 29/);
    assert.match(read('pageup'), /line 12\n/);
    assert.match(read('home'), /line 0\n/);
    assert.doesNotMatch(read('escape'), /line/);
  });

  test('keys open the trace, the finding and Jaeger', () => {
    const screen = { ...layout, width: 100, height: 12 };
    const wishes = (['enter', 'finding', 'jaeger'] as const).map(
      (key) => press(shownAtFirst, key, few.edges, screen).wish,
    );
    assert.deepEqual(wishes, ['trace', 'finding', 'jaeger']);
  });

  test('colours change only colours', () => {
    const screen = { width: 100, height: 20 };
    const plain = renderScreen(few, shownAtFirst, { ...screen, color: false });
    const coloured = renderScreen(few, shownAtFirst, { ...screen, color: true });
    assert.notDeepEqual(coloured, plain);
    assert.deepEqual(coloured.map(stripVTControlCharacters), plain);
  });

  test('a single look on a narrow terminal counts calls, and has no empty column', () => {
    const heads = [40, 80].map((width) => {
      const edges = few.edges.filter(({ newest }) => newest === null);
      return renderEdgesOnce({ ...few, edges }, { width, color: false }).find((line) => /^ +edge/.test(line));
    });
    for (const head of heads) assert.match(head ?? '', /intact +calls$/);
    const [wide] = renderEdgesOnce(few, { width: 80, color: false }).filter((line) => /^ +edge/.test(line));
    assert.match(wide ?? '', /calls +newest$/);
  });

  test('a single look shows every edge', () => {
    assert.equal(
      renderEdgesOnce(many, { width: 80, color: false }).filter((line) => /^ {2}\S \S+ → /.test(line)).length,
      40,
    );
  });
});
