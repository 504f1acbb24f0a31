// The engine on large files: time and memory to decode spans into columns and to check them, compared with JSON.parse and the generated
// protobuf decoder on the same files in the same run. Each measurement runs in its own process.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Generated, generateSpans } from './engine/generate-spans.ts';
import type { WorkName } from './engine/measure.ts';
import { measureReceiver, receiverProtocols } from './engine/receiver.ts';
import { measureStarts } from './engine/start.ts';
import { writeRecords } from './engine/write-records.ts';
import { layRow } from './lay-row.ts';
import { type Measured, measureWork } from './measure-work.ts';

const million = 1_000_000;
/** The sizes of the files from which slopes are measured, in millions of spans. The largest file has 8.6 GB. */
const [shortSizes, longSizes] = ['1,2', '1,2,5,10'];
/**
 * Large enough that Node's compilation of hot code hardly counts. Not larger, because the work with `JSON.parse` reads the whole file at once
 * and Node limits the size of such a read.
 */
const manySpans = 2 * million;
const measure = (work: WorkName, path: string) =>
  measureWork(new URL('engine/measure.ts', import.meta.url), work, path);

/** Prints the tables. */
export async function benchEngine(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      spans: { type: 'string', default: '300000' },
      sizes: { type: 'string' },
      long: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      tables: { type: 'string', default: 'rates,slopes,shapes,taps,start,receiver' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  try {
    const tables = new Set(values.tables.split(','));
    const spans = Number(values.spans);
    // The first process reads sources that are not in a cache yet, and needs more memory for it: its result is ignored.
    await measure('nothing', '');
    const nothing = await measure('nothing', '');
    const sizes = (values.sizes ?? (values.long ? longSizes : shortSizes)).split(',').map(Number);
    if (tables.has('rates')) {
      await printRates(folder, spans, Number(values.rounds), nothing);
      if (values.long) await printRates(folder, manySpans, Number(values.rounds), nothing);
    }
    if (tables.has('slopes')) await printSlopes(folder, sizes, nothing);
    if (tables.has('shapes')) await printShapes(folder, values.long ? million : spans, nothing);
    if (tables.has('taps')) await printTaps(folder, Number(values.rounds));
    if (tables.has('start')) await printStarts(folder);
    if (tables.has('receiver')) await printReceiver(folder, spans, Number(values.rounds));
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Comparison {
  readonly title: string;
  readonly file: Omit<Generated, 'spans' | 'isOneTrace'>;
  readonly base: WorkName;
  readonly works: readonly WorkName[];
}

const comparisons: readonly Comparison[] = [
  ...([0, 0.05] as const).map((broken) => ({
    title: `OTLP JSON Lines, ${broken * 100} % of the calls broken; against JSON.parse of the lines (target of check: 3)`,
    file: { broken, format: 'json' as const },
    base: 'parse' as const,
    works: ['decodeAlone', 'decode', 'check'] as const,
  })),
  {
    title: 'OTLP protobuf; against the messages of the generated decoder (target of check: 5)',
    file: { broken: 0, format: 'protobuf' },
    base: 'messages',
    works: ['decodeAlone', 'decode', 'check'],
  },
];

/** Runs the works in turns, so that other load on the machine affects all of them. Prints the fastest round of each. */
async function printRates(folder: string, spans: number, rounds: number, nothing: Measured): Promise<void> {
  for (const { title, file, base, works } of comparisons) {
    const path = join(folder, 'spans');
    await generateSpans(path, { ...file, spans, isOneTrace: false });
    const { size } = await stat(path);
    const found = new Map<WorkName, Measured>();
    for (let round = 0; round < rounds; round += 1) {
      for (const work of [base, ...works]) {
        const measured = await measure(work, path);
        const best = found.get(work);
        if (best === undefined || measured.milliseconds < best.milliseconds) found.set(work, measured);
      }
    }
    console.log(`\n${title}\n${spans} spans, ${toMB(size)} MB`);
    console.log(layRow('', 'ms', 'ratio', 'cpu ms', 'ratio', 'spans/s', 'MB/s', 'B/span'));
    const reference = found.get(base);
    for (const [work, { milliseconds, cpuMilliseconds, bytes, ...measured }] of found) {
      console.log(
        layRow(
          work,
          milliseconds.toFixed(0),
          ((reference?.milliseconds ?? 0) / milliseconds).toFixed(2),
          cpuMilliseconds.toFixed(0),
          ((reference?.cpuMilliseconds ?? 0) / cpuMilliseconds).toFixed(2),
          ((measured.spans / milliseconds) * 1_000).toFixed(0),
          (size / 1_000 / milliseconds).toFixed(0),
          ((bytes - nothing.bytes) / measured.spans).toFixed(0),
        ),
      );
    }
    await rm(path);
  }
}

/** Prints time and memory for each additional span: the slope between one size and the size before. */
async function printSlopes(folder: string, sizes: readonly number[], nothing: Measured): Promise<void> {
  console.log('\nby size, OTLP JSON Lines, 5 % broken; slopes from the size before (target: 200 B/span)');
  console.log(layRow('', 'seconds', 'MB', 'ns/span', 'cpu ns/span', 'B/span'));
  const before = new Map<WorkName, Measured>();
  for (const size of sizes) {
    const path = join(folder, 'spans');
    await generateSpans(path, { spans: size * million, broken: 0.05, isOneTrace: false, format: 'json' });
    for (const work of ['decode', 'check'] as const) {
      const measured = await measure(work, path);
      const last = before.get(work) ?? nothing;
      before.set(work, measured);
      const slope = (of: (each: Measured) => number) =>
        ((of(measured) - of(last)) / (measured.spans - last.spans)).toFixed(0);
      console.log(
        layRow(
          `${size} M ${work}`,
          (measured.milliseconds / 1_000).toFixed(1),
          toMB(measured.bytes),
          slope(({ milliseconds }) => milliseconds * 1e6),
          slope(({ cpuMilliseconds }) => cpuMilliseconds * 1e6),
          slope(({ bytes }) => bytes),
        ),
      );
    }
    await rm(path);
  }
}

async function printShapes(folder: string, spans: number, nothing: Measured): Promise<void> {
  console.log(`\ncheck by shape, ${spans} spans (target: the same rate within 30 %)`);
  console.log(layRow('', 'spans/s', 'spans/cpu s', 'B/span'));
  for (const isOneTrace of [false, true]) {
    const path = join(folder, 'spans');
    await generateSpans(path, { spans, broken: 0, isOneTrace, format: 'json' });
    const measured = await measure('check', path);
    console.log(
      layRow(
        isOneTrace ? 'one trace' : 'traces of 3',
        ((measured.spans / measured.milliseconds) * 1_000).toFixed(0),
        ((measured.spans / measured.cpuMilliseconds) * 1_000).toFixed(0),
        ((measured.bytes - nothing.bytes) / measured.spans).toFixed(0),
      ),
    );
    await rm(path);
  }
}

/** A proxy has removed the header of all calls. */
const strippedCalls = 16_000;
const spansOfCall = 3;

/** Prints the cost of tap records in a check: the fastest round, by CPU time, with and without them. */
async function printTaps(folder: string, rounds: number): Promise<void> {
  const path = join(folder, 'spans');
  const spans = strippedCalls * spansOfCall;
  await generateSpans(path, { spans, broken: 1, isOneTrace: false, format: 'json' });
  await writeRecords(path);
  console.log(
    `\ncheck of ${strippedCalls} stripped calls, without and with a record of each by a tap (target of the ratio: 1.5)`,
  );
  console.log(layRow('', 'ms', 'ratio', 'cpu ms', 'ratio'));
  const found = new Map<WorkName, Measured>();
  for (let round = 0; round < rounds; round += 1) {
    for (const work of ['check', 'checkTapped'] as const) {
      const measured = await measure(work, path);
      const best = found.get(work);
      if (best === undefined || measured.cpuMilliseconds < best.cpuMilliseconds) found.set(work, measured);
    }
  }
  const base = found.get('check');
  for (const [work, { milliseconds, cpuMilliseconds }] of found) {
    const ratios = [milliseconds / (base?.milliseconds ?? 0), cpuMilliseconds / (base?.cpuMilliseconds ?? 0)];
    const [ratio = '', cpuRatio = ''] = ratios.map((each) => each.toFixed(2));
    console.log(layRow(work, milliseconds.toFixed(0), ratio, cpuMilliseconds.toFixed(0), cpuRatio));
  }
  await rm(path);
}

async function printStarts(folder: string): Promise<void> {
  console.log('\nfrom start to end, the published package; medians');
  console.log(layRow('', 'ms', 'of node', 'target'));
  for (const { name, milliseconds, ofNode, target } of await measureStarts(folder))
    console.log(
      layRow(name, milliseconds.toFixed(0), ofNode.toFixed(1), target === null ? '' : `≤ ${target}`),
    );
}

/** Prints a row for each protocol: the round with the least CPU time. */
async function printReceiver(folder: string, spans: number, rounds: number): Promise<void> {
  console.log(
    '\nreceiver: requests of 512 spans are taken, kept and judged at the end (target of spans/cpu s: 100,000)',
  );
  console.log(layRow('', 'ms', 'spans/s', 'cpu ms', 'spans/cpu s'));
  for (const protocol of receiverProtocols) {
    const found = [];
    for (let round = 0; round < rounds; round += 1)
      found.push(await measureReceiver(protocol, folder, spans));
    const [best] = found.toSorted((a, b) => a.cpuMilliseconds - b.cpuMilliseconds);
    if (best === undefined) continue;
    const perSecond = (milliseconds: number) => ((best.spans / milliseconds) * 1_000).toFixed(0);
    console.log(
      layRow(
        protocol,
        best.milliseconds.toFixed(0),
        perSecond(best.milliseconds),
        best.cpuMilliseconds.toFixed(0),
        perSecond(best.cpuMilliseconds),
      ),
    );
  }
}

function toMB(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
