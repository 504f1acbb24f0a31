/** Takes one measurement in its own process. */
import { open, readFile } from 'node:fs/promises';
import { checkStore, readExportRequest, readSpanStore, readWireFile } from 'propagation-check/kit';
import { reportWork } from '../measure-work.ts';
import { recordsOf } from './write-records.ts';

/** The works that are measured. Each reads a file and resolves with the number of its spans. */
const works = {
  /** Only starts the process. */
  nothing: async () => 0,
  /** `JSON.parse` of each line, on one thread. */
  parse: (path: string) => parseLines(path),
  decode: async (path: string) => (await readSpanStore(path)).store.size,
  decodeAlone: async (path: string) => (await readSpanStore(path, { threads: 1 })).store.size,
  check: async (path: string) => checkStore((await readSpanStore(path)).store).spans,
  /** Like `check`, with tap records. */
  checkTapped: async (path: string) => {
    const { store } = await readSpanStore(path);
    const { records: wire } = await readWireFile(recordsOf(path));
    return checkStore(store, { headers: { wire, received: [] } }).spans;
  },
  /** Decodes with the generated protobuf decoder, on one thread. */
  messages: (path: string) => readMessages(path),
} as const;

export type WorkName = keyof typeof works;

/** Reads the whole file first, so that only `JSON.parse` takes time. */
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

await reportWork(works);
