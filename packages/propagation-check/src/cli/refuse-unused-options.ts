import { UsageError } from './usage-error.ts';

/** By option: the sources and options that it works with, in the words of the message. */
export type OptionUses = Readonly<Record<string, readonly string[]>>;

const words = new Intl.ListFormat('en-GB', { type: 'conjunction' });

/**
 * Refuses options that would do nothing.
 * @param present The sources and options that the command line names, in the words of `uses`.
 * @param isGiven Whether the command line has the option.
 * @throws {UsageError}
 */
export function refuseUnusedOptions(
  uses: OptionUses,
  present: readonly string[],
  isGiven: (option: string) => boolean,
  advice: Readonly<Record<string, string>> = {},
): void {
  for (const [option, users] of Object.entries(uses)) {
    if (!isGiven(option) || users.some((user) => present.includes(user))) continue;
    const more = advice[option] === undefined ? '' : `; ${advice[option]}`;
    throw new UsageError(`--${option} works with ${words.format(users)} only${more}`);
  }
}
