// Audits of a generated system: time, memory and spans/s of each source, compared with JSON.parse of the same files in the same run (the
// ratio is of spans per CPU second).
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generateSpans } from './engine/generate-spans.ts';
import { layRow } from './lay-row.ts';
import { type Measured, measureWork } from './measure-work.ts';

interface System {
  /** Contains the system's spans as files. */
  readonly folder: string;
  readonly spans: number;
  /** Number of traces of the last hour in this bench's Jaeger stand-in. */
  readonly traces: number;
}

/** The rows by their names on the command line, in the order of the table. */
const rows: Readonly<Record<string, (system: System) => Promise<Measured>>> = {
  parse: ({ folder }) => measure('parse', folder),
  files: ({ folder }) => measure('files', folder),
  jaeger: measureJaeger,
};

const measure = (work: string, target: string) =>
  measureWork(new URL('audit/measure.ts', import.meta.url), work, target);
const files = 6;
const broken = 0.01;

/** Prints the table. */
export async function benchAudit(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      spans: { type: 'string', default: '3000000' },
      traces: { type: 'string', default: '50000' },
      rows: { type: 'string', default: Object.keys(rows).join(',') },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'audit-'));
  try {
    const system = { folder, spans: Number(values.spans), traces: Number(values.traces) };
    await writeFiles(system);
    console.log(
      `audit of ${system.spans} spans in ${files} files of ${await sumSizes(folder)} MB, ${broken * 100} % of the calls broken;`,
    );
    console.log(`jaeger: ${system.traces} traces of the last hour by HTTP, from 20 services`);
    console.log(layRow('', 'spans', 'seconds', 'spans/s', 'cpu s', 'spans/cpu s', 'ratio', 'MB'));
    let base: number | null = null;
    for (const name of values.rows.split(',')) {
      const measured = await rows[name]?.(system);
      if (measured === undefined) throw new Error(`no row is called ${name}`);
      const { spans, milliseconds, cpuMilliseconds, bytes } = measured;
      const perSecond = (of: number) => (spans / of) * 1_000;
      base ??= perSecond(cpuMilliseconds);
      const cells = [
        String(spans),
        (milliseconds / 1_000).toFixed(1),
        perSecond(milliseconds).toFixed(0),
        (cpuMilliseconds / 1_000).toFixed(1),
        perSecond(cpuMilliseconds).toFixed(0),
        (perSecond(cpuMilliseconds) / base).toFixed(2),
        (bytes / 1e6).toFixed(0),
      ];
      console.log(layRow(name, ...cells));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function writeFiles({ folder, spans }: System): Promise<void> {
  for (let part = 0; part < files; part += 1) {
    const generated = { spans: spans / files, broken, isOneTrace: false, format: 'json', part } as const;
    await generateSpans(join(folder, `traces_${part}.jsonl`), generated);
  }
}

async function sumSizes(folder: string): Promise<string> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return (bytes / 1e6).toFixed(0);
}

async function measureJaeger({ traces }: System): Promise<Measured> {
  const server = fork(fileURLToPath(new URL('audit/jaeger-server.ts', import.meta.url)), [String(traces)]);
  try {
    const [port] = await once(server, 'message');
    return await measure('jaeger', `http://127.0.0.1:${port}`);
  } finally {
    server.kill();
  }
}
