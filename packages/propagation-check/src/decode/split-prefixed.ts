/** The lines of one program in a log of several, without what stands in front of each. */
export interface PrefixedLog {
  readonly name: string;
  readonly text: string;
}

/** `docker compose logs`, and `kubectl logs --prefix`. */
const prefixes = [/^([\w.-]{1,200}) {1,200}\| ?(.*)$/s, /^\[(pod\/[^\s\]]{1,500})\] ?(.*)$/s];
/** Lines of `docker compose up` that are of no program. */
const ofCompose = /^(?:Attaching to [\w.-]|[\w.-]{1,200} exited with code \d)/;

/** `--timestamps`. A program's own times are followed by a tab, or are not on all of its lines. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?: |$)/;

/**
 * Splits a log whose lines begin with the name of the program that printed them: lines of several programs stand among each other, so
 * that a span of several lines is whole only in the log of its own.
 * @returns Null where a line has no such name.
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
