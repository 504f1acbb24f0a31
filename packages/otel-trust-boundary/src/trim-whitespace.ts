/** RFC 9110, section 5.6.3: only space and tab. Takes linear time, which a pattern for the end does not. */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start += 1;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const space = 0x20;
const tab = 0x09;

function isWhitespace(code: number): boolean {
  return code === space || code === tab;
}
