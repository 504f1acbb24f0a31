/**
 * Drops repeats of a signal: under `npm run` the terminal sends Ctrl-C to the whole process group, and npm forwards its own copy.
 *
 * @param withinMs How long after a signal the same one counts as a repeat.
 */
export function skipRepeats(
  withinMs: number,
  take: (signal: NodeJS.Signals) => void,
  now: () => number = () => performance.now(),
): (signal: NodeJS.Signals) => void {
  const lastAt = new Map<NodeJS.Signals, number>();
  return (signal) => {
    const at = now();
    if (at - (lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < withinMs) return;
    lastAt.set(signal, at);
    take(signal);
  };
}
