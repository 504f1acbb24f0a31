import { type NamedSource, parseSourceSpec } from '../../source/parse-source-spec.ts';
import { stores } from '../../source/source-specs.ts';
import { type OptionUses, refuseUnusedOptions } from '../refuse-unused-options.ts';
import type { ViewOptions } from './open-view.ts';

const asked = [...stores, 'otlp with --forward'] as const;

/** Files are followed from their beginning, and a receiver shows all that arrives. */
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
 * Refuses options that would do nothing for what is watched. Where it is not named, nothing is known of them.
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
  // It is refused itself.
  if (kind === 'clickhouse') return;
  refuseUnusedOptions(uses, listPresent(kind, forward !== undefined), isGiven);
}

function listPresent(kind: NamedSource['kind'], isForwarding: boolean): readonly string[] {
  if (kind === 'otlp') return isForwarding ? ['otlp', 'otlp with --forward'] : ['otlp'];
  return [`${kind}=URL`];
}
