/**
 * Hands on each signal once: under `npm run` the terminal sends one Ctrl-C to the whole group, and npm passes its own on.
 *
 * @param withinMs The same signal is a repeat for so long after it was handed on.
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
