import { open, stat } from 'node:fs/promises';

const signals: readonly (readonly [field: RegExp, name: string])[] = [
  [/"resource_?metrics"/i, 'metrics'],
  [/"resource_?logs"/i, 'logs'],
  [/"resource_?profiles"/i, 'profiles'],
];

/** The first field of a document names its signal. */
const headBytes = 64 * 1024;

const advice =
  'give a file with traces, such as the file exporter of a Collector writes in a pipeline of traces ({"resourceSpans": […]})';

/** For files in which no span is: which signal of OTLP they hold instead, as far as their beginning tells, and what to give. */
export async function explainNoSpan(paths: readonly string[], source: string): Promise<string> {
  const heads = await Promise.all(paths.filter((path) => path !== '-').map(readHead));
  const found = signals.flatMap(([field, name]) => (heads.some((head) => field.test(head)) ? [name] : []));
  const held = found.length === 0 ? '' : `it holds ${found.join(' and ')}; `;
  return `${source}: no span in it; ${held}${advice}`;
}

/** Empty where it cannot be read again, as with pipes, which open only where somebody writes. */
async function readHead(path: string): Promise<string> {
  if (!(await stat(path)).isFile()) return '';
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
