import { escapeText } from '../report/escape-text.ts';

/** Says on a terminal's standard error what is waited for, on one line that is gone afterwards. */
export function createProgress(what: string): { update(waiting: number, all: number): void; clear(): void } {
  const { stderr } = process;
  const since = Date.now();
  let isShown = false;
  return {
    update(waiting, all) {
      if (!stderr.isTTY || Date.now() - since < 1_000) return;
      isShown = true;
      stderr.write(`\r\u001b[K${escapeText(what)}: waiting for ${waiting} of ${all} traces (Ctrl-C ends it)`);
    },
    clear() {
      if (isShown) stderr.write('\r\u001b[K');
      isShown = false;
    },
  };
}
