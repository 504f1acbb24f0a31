/** One measurement, in a process of its own: its memory and its compiled code are not those of another one. */
import { open, readFile } from 'node:fs/promises';
import { checkStore, readExportRequest, readSpanStore, readWireFile } from 'propagation-check/kit';
import { recordsOf } from './write-records.ts';

export interface Measured {
  readonly spans: number;
  readonly milliseconds: number;
  /** CPU time of all threads. */
  readonly cpuMilliseconds: number;
  /** The most that the process had. */
  readonly bytes: number;
}

/** The works that are measured. Each reads a file and resolves with the number of its spans. */
const works = {
  /** The process alone. */
  nothing: async () => 0,
  /** `JSON.parse` of each line, on one thread. */
  parse: (path: string) => parseLines(path),
  decode: async (path: string) => (await readSpanStore(path)).store.size,
  decodeAlone: async (path: string) => (await readSpanStore(path, { threads: 1 })).store.size,
  check: async (path: string) => checkStore((await readSpanStore(path)).store).spans,
  /** As `check`, with what taps recorded. */
  checkTapped: async (path: string) => {
    const { store } = await readSpanStore(path);
    const { records: wire } = await readWireFile(recordsOf(path));
    return checkStore(store, { headers: { wire, received: [] } }).spans;
  },
  /** The generated decoder's messages, on one thread. */
  messages: (path: string) => readMessages(path),
} as const;

export type WorkName = keyof typeof works;

/** The whole file in memory, so that nothing but `JSON.parse` takes time. */
async function parseLines(path: string): Promise<number> {
  const bytes = await readFile(path);
  let spans = 0;
  for (
    let start = 0, end = bytes.indexOf('\n');
    end >= 0;
    start = end + 1, end = bytes.indexOf('\n', start)
  ) {
    const { resourceSpans } = JSON.parse(bytes.toString('utf8', start, end));
    spans += resourceSpans[0].scopeSpans[0].spans.length;
  }
  return spans;
}

async function readMessages(path: string): Promise<number> {
  const file = await open(path);
  const length = Buffer.alloc(4);
  let spans = 0;
  for (;;) {
    const { bytesRead } = await file.read(length);
    if (bytesRead === 0) break;
    const request = Buffer.alloc(length.readUInt32BE());
    await file.read(request);
    for (const { scopeSpans } of readExportRequest(request).resourceSpans)
      spans += scopeSpans[0]?.spans.length ?? 0;
  }
  await file.close();
  return spans;
}

function isWorkName(name: string | undefined): name is WorkName {
  return name !== undefined && Object.hasOwn(works, name);
}

if (process.send !== undefined) {
  const [name, path = ''] = process.argv.slice(2);
  if (!isWorkName(name)) throw new Error(`no measurement is called ${name}`);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  const spans = await works[name](path);
  const { user, system } = process.cpuUsage(cpuStart);
  const measured: Measured = {
    spans,
    milliseconds: performance.now() - start,
    cpuMilliseconds: (user + system) / 1_000,
    bytes: process.resourceUsage().maxRSS * 1024,
  };
  process.send(measured, () => process.exit());
}
