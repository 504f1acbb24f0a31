import type { Command } from 'commander';
import { quoteValue } from '../decode/quote-value.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { UsageError } from './usage-error.ts';

/** Refuses an option that is given twice with different values. Call it after the options are added. @param advice What the user can do. */
export function refuseSecond(command: Command, names: readonly string[], advice?: string): Command {
  const given = new Map<string, readonly string[]>();
  for (const name of names)
    command.on(`option:${name}`, (text: string) => given.set(name, [...(given.get(name) ?? []), text]));
  return command.hook('preAction', () => {
    for (const [name, texts] of given) refuseDifferent(name, texts, advice);
  });
}

/** @throws {UsageError} where the texts differ: commander would silently use the last one. */
export function refuseDifferent(option: string, texts: readonly string[], advice = 'name one'): void {
  const different = new Set(texts);
  if (different.size > 1)
    throw new UsageError(
      `--${option} is given twice, ${Array.from(different, (text) => quoteValue(hideSecrets(text))).join(' and ')}; ${advice}`,
    );
}
