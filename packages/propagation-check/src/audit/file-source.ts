import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { OtherSignal } from '../decode/other-signals.ts';
import { quotePath } from '../source/file-error.ts';
import { type ReadProgress, readSpansInto } from '../source/read-span-store.ts';
import { ForeignFileError, SourceError } from '../source/source.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import type { AuditContext, AuditSource } from './audit-source.ts';
import { listSpanFiles, type SpanFile } from './list-span-files.ts';
import { findEndOf, selectWindow } from './select-window.ts';

export interface FileReading {
  /** The bytes read of all files. */
  readonly bytes: number;
  /** The size of all files; null where it is not known. */
  readonly size: number | null;
}

export interface FileSourceOptions extends Pick<AuditContext, 'judge'> {
  readonly onProgress: (reading: FileReading) => void;
  readonly stdin?: Readable;
}

/** A source that reads files, folders and patterns, as `listSpanFiles` does. They are read again when they have changed. */
export function createFileSource(paths: readonly string[], options: FileSourceOptions): AuditSource {
  let known: (ReadFiles & { readonly version: string }) | null = null;
  const load = async (signal: AbortSignal): Promise<ReadFiles> => {
    const files = await listSpanFiles(paths);
    const version = JSON.stringify(files);
    if (known?.version !== version) {
      // Releases the old spans before the new ones need memory.
      known = null;
      known = { version, ...(await readFiles(files, options, signal)) };
    }
    return known;
  };
  return {
    name: paths.map((path) => (path === '-' ? 'standard input' : quotePath(path))).join(', '),
    readWindow: async (window, signal) => {
      const { store: all, leftOut, otherSignals } = await load(signal);
      const store = selectWindow(all, window);
      return {
        result: options.judge(store),
        seen: { complete: true, says: describeLeftOut(leftOut) },
        store,
        ...(all.size === 0 ? { otherSignals } : {}),
      };
    },
    findEnd: async (signal) => findEndOf((await load(signal)).store),
    close: async () => {},
  };
}

interface ReadFiles {
  readonly store: SpanStore;
  /** The files that were left out, each with the reason. */
  readonly leftOut: readonly string[];
  readonly otherSignals: readonly OtherSignal[];
}

/**
 * Names of files that may be exports of spans. In a folder such a file without spans, for instance a login page that was saved as an export, is
 * an error: its traces would silently be missing. Files with other endings are left out.
 */
const capture =
  /(?:^|\/)[^.]*$|\.(?:jsonl?|ndjson|gz|zst|zip|pb|binpb|bin|otlp|log|txt|out|\d+)(?:[.-]\d+)*$/i;

/** Configurations and other documents have this ending too: the content tells them apart. */
const anyJson = /\.json$/i;

/** Names of files that belong to the code of a project. In a folder they are not read. */
const ofProject =
  /^(?:(?:package(?:-lock)?|npm-shrinkwrap|composer|[jt]sconfig(?:\.[\w-]+)*|biome|deno|nx|lerna|turbo|renovate)\.jsonc?|(?:licen[cs]e|notice|copying|authors|changelog|readme|makefile|dockerfile|procfile|gemfile|jenkinsfile|codeowners|requirements|version|gradlew)(?:-[\w.]+)?(?:\.(?:txt|rst|md))?|.+\.(?:lockb?|mod|sum|cfg|gradle|toml))$/i;

const howToLeaveOut = 'if it is of another kind, name the others by a pattern, such as "dump/*.jsonl"';

/** The most files that a note names. */
const mostNamed = 3;

function describeLeftOut(leftOut: readonly string[]): string {
  if (leftOut.length === 0) return '';
  const more = leftOut.length - mostNamed;
  const named = leftOut.slice(0, mostNamed).join('; ');
  return `left out, because no spans are in them: ${named}${more > 0 ? `; and ${more} more` : ''}`;
}

/** @throws {SourceError} also where every file was left out. */
async function readFiles(
  files: readonly SpanFile[],
  { onProgress, stdin }: FileSourceOptions,
  signal: AbortSignal,
): Promise<ReadFiles> {
  const writer = new SpanWriter();
  const size = files.reduce<number | null>(
    (sum, file) => (sum === null || file.size === null ? null : sum + file.size),
    0,
  );
  const strays: string[] = [];
  const leftOut: string[] = [];
  const otherSignals: OtherSignal[] = [];
  let before = 0;
  for (const file of files) {
    // Rotating exporters leave empty files. An empty file that is the only one is an error when it is read.
    if (file.size === 0 && files.length > 1) {
      leftOut.push(`${quotePath(file.path)}: empty`);
      continue;
    }
    if (file.isFound === true && ofProject.test(basename(file.path))) {
      leftOut.push(`${quotePath(file.path)}: a file of a project, by its name`);
      before += file.size ?? 0;
      continue;
    }
    let read = 0;
    const mark = writer.mark();
    const decoded = await readSpansInto(writer, file.path, {
      signal,
      ...(stdin === undefined ? {} : { stdin }),
      onProgress: ({ bytes }: ReadProgress) => {
        read = bytes;
        onProgress({ bytes: before + bytes, size });
      },
    }).catch((error: unknown) => {
      if (file.isFound !== true || !(error instanceof ForeignFileError)) throw error;
      const isOther = error.content === 'document' && anyJson.test(file.path);
      if (error.content !== 'known' && !isOther && capture.test(file.path))
        throw new SourceError(`${error.message}; ${howToLeaveOut}`);
      writer.rollBack(mark);
      // Nothing but its content says that this file belongs to no export, so that it is named before the others.
      if (isOther) strays.push(error.message);
      else leftOut.push(error.message);
      return null;
    });
    otherSignals.push(...(decoded?.otherSignals ?? []));
    before += file.size ?? read;
    onProgress({ bytes: before, size });
  }
  const all = [...strays, ...leftOut];
  if (all.length > 0 && all.length === files.length)
    throw new SourceError(`no file of spans: ${all.slice(0, mostNamed).join('; ')}`);
  return { store: writer.finish(), leftOut: all, otherSignals };
}
