import { type Source, SourceError } from '../source/source.ts';
import { suggestInstead } from '../util/suggest-name.ts';

/** `did you mean web instead of wbe?`, for each service that is not among the known ones. */
export function suggestServices(services: readonly string[], known: readonly string[]): readonly string[] {
  return services.flatMap((service) =>
    known.includes(service) ? [] : (suggestInstead(service, known) ?? []),
  );
}

/** The names of the services that a source knows; empty where it cannot list them. */
export async function listKnownServices(source: Source, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return (await source.listServices?.(signal)) ?? [];
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SourceError)) throw error;
    return [];
  }
}
