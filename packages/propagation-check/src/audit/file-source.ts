import type { Readable } from 'node:stream';
import { quotePath } from '../source/file-error.ts';
import { type ReadProgress, readSpansInto } from '../source/read-span-store.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import type { AuditContext, AuditSource } from './audit-source.ts';
import { listSpanFiles, type SpanFile } from './list-span-files.ts';
import { findEndOf, selectWindow } from './select-window.ts';

export interface FileReading {
  /** Of the files together. */
  readonly bytes: number;
  /** Null where it is not known. */
  readonly size: number | null;
}

export interface FileSourceOptions extends Pick<AuditContext, 'judge'> {
  readonly onProgress: (reading: FileReading) => void;
  readonly stdin?: Readable;
}

/** Files, folders and patterns, as `listSpanFiles` takes them. They are read again when they have changed. */
export function createFileSource(paths: readonly string[], options: FileSourceOptions): AuditSource {
  let known: { readonly version: string; readonly store: SpanStore } | null = null;
  const load = async (signal: AbortSignal): Promise<SpanStore> => {
    const files = await listSpanFiles(paths);
    const version = JSON.stringify(files);
    if (known?.version !== version) {
      // The old spans are free before the new ones take memory.
      known = null;
      known = { version, store: await readFiles(files, options, signal) };
    }
    return known.store;
  };
  return {
    name: paths.map((path) => (path === '-' ? 'standard input' : quotePath(path))).join(', '),
    readWindow: async (window, signal) => {
      const store = selectWindow(await load(signal), window);
      return { result: options.judge(store), seen: { complete: true, says: '' }, store };
    },
    findEnd: async (signal) => findEndOf(await load(signal)),
    close: async () => {},
  };
}

async function readFiles(
  files: readonly SpanFile[],
  { onProgress, stdin }: FileSourceOptions,
  signal: AbortSignal,
): Promise<SpanStore> {
  const writer = new SpanWriter();
  const size = files.reduce<number | null>(
    (sum, file) => (sum === null || file.size === null ? null : sum + file.size),
    0,
  );
  let before = 0;
  for (const file of files) {
    let read = 0;
    await readSpansInto(writer, file.path, {
      signal,
      ...(stdin === undefined ? {} : { stdin }),
      onProgress: ({ bytes }: ReadProgress) => {
        read = bytes;
        onProgress({ bytes: before + bytes, size });
      },
    });
    before += file.size ?? read;
    onProgress({ bytes: before, size });
  }
  return writer.finish();
}
