const replacements: Readonly<Record<string, string>> = {
  '✗': 'x',
  '✓': '+',
  '·': '-',
  '→': '>',
  '…': '~',
  '✂': '%',
  '╌': '-',
  '━': '=',
  '█': '#',
  '│': '|',
  '├': '|',
  '└': '`',
  '─': '-',
  '’': "'",
  '▲': '^',
  '▼': 'v',
};

/** For terminals whose locale is not UTF-8. Each character becomes one ASCII character, so that columns stay aligned. */
export function toAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, (character) => replacements[character] ?? '?');
}
