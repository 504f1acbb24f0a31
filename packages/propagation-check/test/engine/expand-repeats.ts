/** Trace numbers of a block's n-th copy are higher by this number for each copy before it. */
const tracesApart = 1_000;

/**
 * Expands the blocks of a drawing. The traces between `repeat 9 every 1000` and `end` occur nine times, each a second after the one before
 * and with trace numbers that are higher by a thousand.
 */
export function expandRepeats(text: string): string {
  return text.replace(
    /^repeat (\d+) every (\d+)\n([\s\S]*?)^end$\n?/gm,
    (_, times: string, every: string, block: string) =>
      Array.from({ length: Number(times) }, (_, copy) =>
        block
          .replace(/^trace (\d+)/gm, (_, trace) => `trace ${Number(trace) + copy * tracesApart}`)
          .replace(
            /(?<=^ .*" )(-?[\d.]+)\.\.(-?[\d.]+)(?= |$)/gm,
            (_, from, to) => `${later(from, copy * Number(every))}..${later(to, copy * Number(every))}`,
          ),
      ).join(''),
  );
}

function later(time: string, by: number): string {
  return String(Math.round((Number(time) + by) * 1_000) / 1_000);
}
