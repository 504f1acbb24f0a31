import { type NamedSource, parseSourceSpec } from '../../source/parse-source-spec.ts';
import { stores } from '../../source/source-specs.ts';
import { type OptionUses, refuseUnusedOptions } from '../refuse-unused-options.ts';
import type { ViewOptions } from './open-view.ts';

const asked = [...stores, 'otlp with --forward'] as const;

/** `since` and `limit` are missing for files, which are read from their beginning, and for a receiver, which shows everything that arrives. */
const uses: OptionUses = {
  since: stores,
  limit: stores,
  service: [...stores, 'otlp'],
  forward: ['otlp'],
  header: asked,
  ca: asked,
  timeout: asked,
};

/**
 * Refuses options that would do nothing for what is watched. Without files and without a source it refuses none.
 * @param isGiven Whether the command line has the option.
 * @throws {UsageError} @throws {SourceError} when the source is of no known kind.
 */
export function refuseOptionsOfWatch(
  paths: readonly string[],
  { source, forward }: Pick<ViewOptions, 'source' | 'forward'>,
  isGiven: (option: string) => boolean,
): void {
  if (paths.length > 0 === (source !== undefined)) return;
  const kind = source === undefined ? 'file' : parseSourceSpec(source).kind;
  // `watch` refuses ClickHouse itself.
  if (kind === 'clickhouse') return;
  refuseUnusedOptions(uses, listPresent(kind, forward !== undefined), isGiven);
}

function listPresent(kind: NamedSource['kind'], isForwarding: boolean): readonly string[] {
  if (kind === 'otlp') return isForwarding ? ['otlp', 'otlp with --forward'] : ['otlp'];
  return [`${kind}=URL`];
}
