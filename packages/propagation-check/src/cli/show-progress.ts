import { escapeText } from '../report/escape-text.ts';
import type { Waiting } from './collect-traces.ts';
import { describeAwaited } from './find-awaited.ts';

/** Says on a terminal's standard error what is waited for, on one line that is gone afterwards. */
export function createProgress(what: string): { update(waiting: Waiting): void; clear(): void } {
  const { stderr } = process;
  const since = Date.now();
  let isShown = false;
  return {
    update(waiting) {
      if (!stderr.isTTY || Date.now() - since < 1_000) return;
      isShown = true;
      stderr.write(`\r\u001b[K${escapeText(`${what}: ${describeWaiting(waiting)}`)}`);
    },
    clear() {
      if (isShown) stderr.write('\r\u001b[K');
      isShown = false;
    },
  };
}

/** `waiting for the called side of GET orders:8082/work of web, 1 of 3 traces (at most 27 s; Ctrl-C ends it)`. */
export function describeWaiting({ awaited, open, all, leftMs }: Waiting): string {
  const [first, ...more] = awaited;
  // Whole traces alone: their services may have called others.
  const what = describeAwaited(first ?? { kind: 'unknown-services' });
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return `waiting for ${what}${others}, ${open} of ${all} traces (at most ${Math.ceil(leftMs / 1_000)} s; Ctrl-C ends it)`;
}
