import { stat } from 'node:fs/promises';
import { isPattern } from '../../audit/list-span-files.ts';
import { pauseFor } from '../../collect/pause-for.ts';
import { quotePath } from '../../source/file-error.ts';
import { pathOfFileSpec } from '../../source/parse-source-spec.ts';
import type { Source } from '../../source/source.ts';
import type { Span } from '../../span/span.ts';
import type { SourceArguments } from '../common-options.ts';
import { explainNoSpan } from '../explain-no-span.ts';
import { openNamedSource } from '../open-named-source.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { followFiles } from './follow-files.ts';

/** A source or files whose traces are watched. */
export interface View {
  readonly name: string;
  /** Reads the spans that are new; some may have been read before. @throws {SourceError} while the source is away. */
  look(now: number, signal: AbortSignal): Promise<readonly Span[]>;
  /** Waits until more spans may be there, at most this long. */
  waitForMore(atMostMs: number, signal: AbortSignal): Promise<void>;
  /** A note on what is left out. */
  readonly note: string | null;
  /** Why no span is there, and what to do. */
  explainEmpty(): string;
  readonly complaints: readonly string[];
  /** These traces are not needed any more. */
  forget(traceIds: readonly string[]): void;
  close(): Promise<void>;
}

export interface ViewOptions extends Omit<SourceArguments, 'source'> {
  /** Absent where files are watched. */
  readonly source?: string;
  readonly service?: string;
  /** The most traces that one look asks for. */
  readonly limit: number;
  /** How far back the first look goes. Milliseconds. */
  readonly since: number;
}

/** The overlap of each look with the previous one: spans arrive after their trace has begun. */
const overlapMs = 60_000;

/** @throws {SourceError} where the source cannot be opened. */
export async function openView(
  paths: readonly string[],
  args: ViewOptions,
  session: Pick<Session, 'writeError'>,
): Promise<View> {
  const path = pathOfFileSpec(args.source ?? '');
  if (path !== null && path !== '') return openFiles([path]);
  if (paths.length > 0) return openFiles(paths);
  const source = await openNamedSource({ ...args, source: args.source ?? '' }, session);
  let [revision, lookedAt]: [number, number | null] = [0, null];
  let note: string | null = null;
  let shownBefore: ReadonlySet<string> = new Set();
  const { service = null, limit, since } = args;
  return {
    name: source.name,
    get note() {
      return note;
    },
    get complaints() {
      return source.complaints ?? [];
    },
    async look(now, signal) {
      revision = source.revision ?? 0;
      const from = lookedAt === null ? now - since : lookedAt - overlapMs;
      const isOwn = source.isReceiver === true;
      const query = { service, startTimeMin: isOwn ? 0 : from, startTimeMax: now, limit };
      const spans = await source.searchTraces(isOwn ? { ...query, ...everything } : query, signal);
      // Set only after success, so that the next look covers the time of a look that failed.
      lookedAt = now;
      const shown = new Set(spans.map(({ traceId }) => traceId));
      const added = [...shown].filter((id) => !shownBefore.has(id)).length;
      shownBefore = shown;
      note =
        !isOwn && added >= limit
          ? `a look shows ${limit} traces at most (--limit), and all of the last one were new, so that calls may be left out`
          : null;
      return spans;
    },
    async waitForMore(atMostMs, signal) {
      if (source.waitForChange === undefined) return pauseFor(atMostMs, signal);
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      try {
        await Promise.race([pauseFor(atMostMs, either), source.waitForChange(revision, either)]);
      } finally {
        over.abort();
      }
    },
    explainEmpty: () => explainEmpty(source, args),
    forget: (traceIds) => source.forget?.(traceIds),
    close: () => source.close(),
  };
}

function explainEmpty({ name, url }: Source, { service, since, wait }: ViewOptions): string {
  const of = service === undefined ? '' : ` of service ${JSON.stringify(service)}`;
  const orSpelling = service === undefined ? '' : ', or check its spelling (service.name)';
  if (url !== undefined)
    return (
      `no span${of} arrived in ${name} within ${wait / 1_000} s; give it time with --wait, and set in the services ` +
      `OTEL_EXPORTER_OTLP_ENDPOINT=${url}, which takes gRPC and HTTP${orSpelling}`
    );
  return `${name} has no trace${of} of the last ${since / 1_000} s; look further back with --since${orSpelling}`;
}

/** @throws {UsageError} for a path that cannot be followed. */
async function openFiles(paths: readonly string[]): Promise<View> {
  for (const path of paths) await refuseOtherThanFile(path);
  const name = paths.join(', ');
  const { look, listOtherSignals } = followFiles(paths);
  return {
    name,
    get note() {
      const signals = listOtherSignals();
      return signals === null ? null : explainNoSpan(name, signals);
    },
    complaints: [],
    explainEmpty: () => explainNoSpan(name, listOtherSignals() ?? []),
    ...{ look, waitForMore: pauseFor, forget: () => {}, close: async () => {} },
  };
}

/** Accepts a path without a file, which may be written later, but no folder, pattern or standard input. @throws {UsageError} */
async function refuseOtherThanFile(path: string): Promise<void> {
  if (path === '-')
    throw new UsageError('-: standard input cannot be followed; use propagation-check file -');
  const found = await stat(path).catch(() => null);
  const name = quotePath(path);
  if (found?.isDirectory() === true) throw new UsageError(`${name}: a folder; name files in it`);
  if (found === null && isPattern(path))
    throw new UsageError(
      `${name}: no file matches; watch takes file names; let the shell expand the pattern`,
    );
}

const everything = { startTimeMax: Number.MAX_SAFE_INTEGER, limit: Number.MAX_SAFE_INTEGER };
