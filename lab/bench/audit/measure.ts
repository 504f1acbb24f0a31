/** Measures one row of the table in its own process. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openSource } from 'propagation-check';
import { checkStore, createFileSource, createSearchSource, readWindows } from 'propagation-check/kit';
import { reportWork } from '../measure-work.ts';

const signal = new AbortController().signal;
const onProgress = () => {};
/** More traces than this bench's Jaeger stand-in has. */
const limit = 1_000_000;
const hourMs = 3_600_000;

const works = {
  /** `JSON.parse` of each line, on one thread; nothing is kept. */
  parse: async (folder: string) => {
    let spans = 0;
    for (const name of await readdir(folder)) {
      for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
        const { resourceSpans } = JSON.parse(line);
        spans += resourceSpans[0].scopeSpans[0].spans.length;
      }
    }
    return spans;
  },
  files: async (folder: string) => {
    const source = createFileSource([folder], { judge: checkStore, onProgress });
    const { now } = await readWindows(source, { latest: 0 }, signal);
    return now.result.spans;
  },
  jaeger: async (url: string) => {
    const source = createSearchSource(await openSource(`jaeger=${url}`), {
      judge: checkStore,
      limit,
      onProgress,
    });
    const { now } = await readWindows(source, { since: hourMs, latest: Date.now() }, signal);
    await source.close();
    return now.result.spans;
  },
};

await reportWork(works);
