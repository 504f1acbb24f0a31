import type { Command } from 'commander';
import { parseSourceSpec } from '../source/parse-source-spec.ts';
import { stores } from '../source/source-specs.ts';
import { type OptionUses, refuseUnusedOptions } from './refuse-unused-options.ts';

const forwarding = 'otlp with --forward';
const waited = [...stores, 'otlp'] as const;

/** Sources and options for which `--ca` and `--timeout` have an effect. `run` always uses the two for its own requests. */
const http = [...stores, forwarding, '--collector-metrics'] as const;
const usesOfHttp: OptionUses = { ca: http, timeout: http };

/** Traces that are named by id are not searched for, and a file does not grow. */
const uses: OptionUses = {
  since: ['--service'],
  limit: ['--service'],
  header: [...stores, forwarding],
  wait: waited,
  settle: waited,
};

const usesOf: Readonly<Record<string, OptionUses>> = {
  run: uses,
  trace: { ...uses, ...usesOfHttp },
  // `exec` only reads from its receiver.
  exec: { header: [forwarding], ...usesOfHttp },
};

interface SourceOptions {
  readonly source?: string;
  readonly service?: unknown;
  readonly forward?: URL;
  readonly collectorMetrics?: URL;
}

/**
 * Refuses options of `run`, `exec` and `trace` that would do nothing for their source. Without a named source it refuses none.
 * @param isGiven Whether the command line has the option.
 * @throws {UsageError} @throws {SourceError} when the source is of no known kind.
 */
export function refuseOptionsOfSource(command: Command, isGiven: (option: string) => boolean): void {
  const { source, service, forward, collectorMetrics } = command.opts<SourceOptions>();
  if (source === undefined) return;
  const { kind } = parseSourceSpec(source);
  const present = [
    ...(kind === 'otlp' ? ['otlp', ...(forward === undefined ? [] : [forwarding])] : [`${kind}=URL`]),
    ...(service === undefined ? [] : ['--service']),
    ...(collectorMetrics === undefined ? [] : ['--collector-metrics']),
  ];
  refuseUnusedOptions(usesOf[command.name()] ?? {}, present, isGiven);
}
