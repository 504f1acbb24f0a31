/** The lines of one program in a log of several, without their prefixes. */
interface PrefixedLog {
  readonly name: string;
  readonly readText: () => string;
}

export interface SplitLog {
  readonly programs: readonly PrefixedLog[];
  /** Reads the text with the lines of the programs blank: what `docker compose up` and `stern` say themselves, headers of `tail`. */
  readonly readRest: () => string;
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
const timestamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?: |(?![^\n]))`;
const timestamps = new RegExp(String.raw`(?<![^\n])${timestamp}`, 'g');
const lineWithoutTimestamp = new RegExp(String.raw`(?<![^\n])(?!${timestamp})[^\S\n]*[^\s]`);

/** A short log may have one line of each program. */
const fewNames = 20;

/**
 * Splits a log whose lines begin with the name of the program that printed them. Lines of several programs are interleaved, so a span of
 * several lines is whole only among the lines of its program.
 * @returns Null when most lines have no name in one of the known forms.
 */
export function splitPrefixed(text: string): SplitLog | null {
  for (const prefix of prefixes) {
    const split = splitBy(prefix, text);
    if (split !== null) return split;
  }
  return null;
}

function splitBy(prefix: RegExp, text: string): SplitLog | null {
  const logs = new Map<string, LineBuffer>();
  const rest = new LineBuffer();
  let [named, others] = [0, 0];
  for (const line of listLines(text)) {
    const [, name, own = ''] = prefix.exec(line.trimEnd()) ?? [];
    rest.add(name === undefined ? line : '');
    if (name === undefined) {
      if (line.trim() !== '') others += 1;
      continue;
    }
    named += 1;
    const log = logs.get(name) ?? new LineBuffer();
    logs.set(name, log);
    log.add(own);
  }
  // A program prints several lines; ordinary lines may begin with words that look like a name, as in `request-123 handled`.
  if (named <= others || logs.size > Math.max(fewNames, named / 2)) return null;
  const programs = Array.from(logs, ([name, log]) => ({
    name,
    readText: () => withoutTimestamps(`${log.join()}\n`),
  }));
  return { programs, readRest: () => rest.join() };
}

function* listLines(text: string): Generator<string> {
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    yield text.slice(start, end);
    start = end + 1;
  }
}

/** Joins lines in parts: each string of a line takes about as much memory as the line itself. */
class LineBuffer {
  readonly #parts: string[] = [];
  #lines: string[] = [];

  add(line: string): void {
    if (this.#lines.push(line) === linesOfPart) this.#close();
  }

  join(): string {
    this.#close();
    return this.#parts.join('\n');
  }

  #close(): void {
    if (this.#lines.length > 0) this.#parts.push(this.#lines.join('\n'));
    this.#lines = [];
  }
}

const linesOfPart = 1_000;

/** The text without the time in front of each line, if all lines that are not blank have one. */
export function withoutTimestamps(text: string): string {
  return lineWithoutTimestamp.test(text) ? text : text.replace(timestamps, '');
}
