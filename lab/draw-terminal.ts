import { createAnsiSequenceParser, type ParseToken } from 'ansi-sequence-parser';

const font = { size: 13, width: 7.83, line: 18 };
const padding = 16;
/** Colours for a dark background, because the picture does not follow the theme of the page around it. */
const ground = '#161b22';
const ink = '#d1d7e0';
const colours: Readonly<Record<string, string>> = {
  red: '#ff7b72',
  green: '#56d364',
  yellow: '#e3b341',
  blue: '#79c0ff',
  magenta: '#d2a8ff',
  cyan: '#76e3ea',
};
const dimmed = 0.65;

/** Draws a program's terminal output as SVG. */
export function drawTerminal(title: string, output: string): string {
  const parser = createAnsiSequenceParser();
  const lines = output
    .trimEnd()
    .split('\n')
    .map((line) => parser.parse(line));
  const columns = Math.max(...lines.map((line) => line.reduce((sum, { value }) => sum + value.length, 0)));
  const width = Math.ceil(columns * font.width) + 2 * padding;
  const height = lines.length * font.line + 2 * padding;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${ground}"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${font.size}" fill="${ink}">`,
    ...lines.flatMap((line, at) => drawLine(line, padding + (at + 0.75) * font.line)),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Each run of characters has an explicit position and length, so that columns do not depend on the font. SVG trims a text's outer spaces. */
function drawLine(tokens: readonly ParseToken[], y: number): readonly string[] {
  let column = 0;
  return tokens.flatMap((token) => {
    const text = token.value.trim();
    const start = column + token.value.length - token.value.trimStart().length;
    column += token.value.length;
    if (text === '') return [];
    const place = `x="${toPixels(start, padding)}" y="${y.toFixed(1)}" textLength="${toPixels(text.length)}"`;
    return [`<text ${place}${styleOf(token)}>${escapeXml(text.replaceAll(' ', '\u00a0'))}</text>`];
  });
}

function toPixels(characters: number, from = 0): string {
  return (from + characters * font.width).toFixed(1);
}

function styleOf({ foreground, decorations }: ParseToken): string {
  const colour = foreground?.type === 'named' ? colours[foreground.name] : undefined;
  return [
    colour === undefined ? '' : ` fill="${colour}"`,
    decorations.has('bold') ? ' font-weight="bold"' : '',
    decorations.has('dim') ? ` opacity="${dimmed}"` : '',
  ].join('');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
