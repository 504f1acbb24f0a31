/** The lines of one program in a log of several, without their prefixes. */
export interface PrefixedLog {
  readonly name: string;
  readonly text: string;
}

export interface SplitLog {
  readonly programs: readonly PrefixedLog[];
  /** The text with the lines of the programs blank: what `docker compose up` and `stern` say themselves, headers of `tail`. */
  readonly rest: string;
}

/**
 * The prefixes of `docker compose logs`, `docker service logs --timestamps`, `kubectl logs --prefix`, and of stern, which writes only
 * blanks behind the names: Kubernetes ends the names of pods with five of these characters, or with a number.
 */
const prefixes = [
  /^(?:\S{0,20}\d\d:\d\d:\d\d\S{0,20} )?([\w.@-]{1,200}) {1,200}\| ?(.*)$/s,
  /^\[(pod\/[^\s\]]{1,500})\] ?(.*)$/s,
  /^((?:[a-z\d-]{1,63} )??[a-z\d][a-z\d.-]{0,250}-(?:[bcdfghjklmnpqrstvwxz2456789]{5}|\d{1,5}) [a-z\d][a-z\d-]{0,62})(?: (.*))?$/s,
];

/** The time that `--timestamps` puts in front. A program's own times are followed by a tab, or are not on all of its lines. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?: |$)/;

/**
 * Splits a log whose lines begin with the name of the program that printed them. Lines of several programs are interleaved, so a span of
 * several lines is whole only among the lines of its program.
 * @returns Null when most lines have no name in one of the known forms.
 */
export function splitPrefixed(text: string): SplitLog | null {
  const lines = text.split('\n');
  for (const prefix of prefixes) {
    const split = splitBy(prefix, lines);
    if (split !== null) return split;
  }
  return null;
}

function splitBy(prefix: RegExp, lines: readonly string[]): SplitLog | null {
  const logs = new Map<string, string[]>();
  const rest: string[] = [];
  let balance = 0;
  for (const line of lines) {
    const [, name, own = ''] = prefix.exec(line.trimEnd()) ?? [];
    rest.push(name === undefined ? line : '');
    if (name === undefined) {
      if (line.trim() !== '') balance -= 1;
      continue;
    }
    balance += 1;
    const log = logs.get(name);
    if (log === undefined) logs.set(name, [own]);
    else log.push(own);
  }
  if (balance <= 0) return null;
  const programs = Array.from(logs, ([name, own]) => ({
    name,
    text: withoutTimestamps(`${own.join('\n')}\n`),
  }));
  return { programs, rest: rest.join('\n') };
}

/** The text without the time in front of each line, if all lines that are not blank have one. */
export function withoutTimestamps(text: string): string {
  if (!timestamp.test(text.trimStart())) return text;
  const lines = text.split('\n');
  return lines.every((line) => line.trim() === '' || timestamp.test(line))
    ? lines.map((line) => line.replace(timestamp, '')).join('\n')
    : text;
}
