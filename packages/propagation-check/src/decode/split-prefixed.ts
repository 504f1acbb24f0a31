/** The lines of one program in a log of several, without their prefixes. */
export interface PrefixedLog {
  readonly name: string;
  readonly text: string;
}

/** The prefixes of `docker compose logs` and `kubectl logs --prefix`. */
const prefixes = [/^([\w.-]{1,200}) {1,200}\| ?(.*)$/s, /^\[(pod\/[^\s\]]{1,500})\] ?(.*)$/s];
/** Lines that `docker compose up` prints itself. */
const ofCompose = /^(?:Attaching to [\w.-]|[\w.-]{1,200} exited with code \d)/;

/** The time that `--timestamps` puts in front. A program's own times are followed by a tab, or are not on all of its lines. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?: |$)/;

/**
 * Splits a log whose lines begin with the name of the program that printed them. Lines of several programs are interleaved, so a span of
 * several lines is whole only among the lines of its program.
 * @returns Null when a line has no such name.
 */
export function splitPrefixed(text: string): readonly PrefixedLog[] | null {
  const logs = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    if (line.trim() === '' || ofCompose.test(line)) continue;
    const [, name, own] =
      prefixes.map((prefix) => prefix.exec(line.trimEnd())).find((found) => found !== null) ?? [];
    if (name === undefined || own === undefined) return null;
    const lines = logs.get(name);
    if (lines === undefined) logs.set(name, [own]);
    else lines.push(own);
  }
  return Array.from(logs, ([name, lines]) => ({ name, text: `${withoutTimestamps(lines).join('\n')}\n` }));
}

function withoutTimestamps(lines: readonly string[]): readonly string[] {
  return lines.every((line) => timestamp.test(line))
    ? lines.map((line) => line.replace(timestamp, ''))
    : lines;
}
