/** One row of the table, in a process of its own. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openSource } from 'propagation-check';
import { checkStore, createFileSource, createSearchSource, readWindows } from 'propagation-check/kit';

export interface AuditMeasured {
  readonly spans: number;
  readonly milliseconds: number;
  /** CPU time of all threads. */
  readonly cpuMilliseconds: number;
  /** The most that the process had. */
  readonly bytes: number;
}

const signal = new AbortController().signal;
const onProgress = () => {};
/** More than the Jaeger of this bench has. */
const limit = 1_000_000;
const hourMs = 3_600_000;

/** The works that are measured. Each resolves with the number of spans. */
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
} as const;

export type AuditWork = keyof typeof works;

function isWork(name: string | undefined): name is AuditWork {
  return name !== undefined && Object.hasOwn(works, name);
}

if (process.send !== undefined) {
  const [name, target = ''] = process.argv.slice(2);
  if (!isWork(name)) throw new Error(`no work is called ${name}`);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  const spans = await works[name](target);
  const { user, system } = process.cpuUsage(cpuStart);
  const measured: AuditMeasured = {
    spans,
    milliseconds: performance.now() - start,
    cpuMilliseconds: (user + system) / 1_000,
    bytes: process.resourceUsage().maxRSS * 1024,
  };
  process.send(measured, () => process.exit());
}
