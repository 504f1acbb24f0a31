import { pathOfFileSpec } from '../../source/parse-source-spec.ts';
import { UsageError } from '../usage-error.ts';

/** Files are followed from their beginning, and a receiver shows all that arrives. */
const ofStores = ['since', 'limit'] as const;
/** Of what is asked over the network, or chooses among its traces. */
const ofSources = ['service', 'header', 'forward', 'ca', 'timeout'] as const;

/**
 * Refuses options that what is watched would not heed.
 * @param source Null where files are named.
 * @param isGiven Whether the command line has the option.
 * @throws {UsageError}
 */
export function refuseUnheeded(source: string | null, isGiven: (option: string) => boolean): void {
  if (source !== null && /^(?:jaeger|tempo)=/.test(source)) return;
  const isFile = source === null || pathOfFileSpec(source) !== null;
  const refuse = (option: string, heeding: string) => {
    throw new UsageError(`--${option}: only ${heeding} heed it; leave it out`);
  };
  for (const option of ofStores) if (isGiven(option)) refuse(option, 'jaeger=URL and tempo=URL');
  if (isFile)
    for (const option of ofSources) if (isGiven(option)) refuse(option, 'jaeger=URL, tempo=URL and otlp');
}
