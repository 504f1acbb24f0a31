import { SpanlessContentError } from '../decode/decode-error.ts';

/** The content that each option with a file expects. */
const expected = {
  '--expectations': 'YAML, such as edges: { must: [a -> b] }',
  '--baseline': 'what --update-baseline writes',
  '--config': 'YAML with settings',
  '--wire': 'what propagation-check tap writes, or a pcap',
} as const;

/** Names the content of a file of spans, or of another option's file, that was given to `option`; null where it may be of the right kind. */
export async function findOtherContent(
  content: string | Uint8Array,
  option: keyof typeof expected,
): Promise<string | null> {
  // Few need them.
  const [{ decodeBytes }, { formatLabels }] = await Promise.all([
    import('../decode/detect-format.ts'),
    import('../decode/reading.ts'),
  ]);
  try {
    const { spans, format } = decodeBytes(Buffer.from(content));
    if (spans.length === 0) return null;
    return `these are spans (${formatLabels[format]}), which propagation-check file takes without an option; expected ${expected[option]}`;
  } catch (error) {
    // Where the advice is this option, the content has a fault of another kind.
    if (!(error instanceof SpanlessContentError) || error.content.includes(option)) return null;
    return `${error.content}; expected ${expected[option]}`;
  }
}
