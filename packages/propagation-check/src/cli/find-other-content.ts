import { SpanlessContentError } from '../decode/decode-error.ts';

/** The content that each option expects of its file. */
const expected = {
  '--expectations': 'YAML, such as edges: { must: [a -> b] }',
  '--baseline': 'what --update-baseline writes',
  '--config': 'YAML with settings',
  '--wire': 'what propagation-check tap writes, or a pcap',
} as const;

/** Names the content when a file of spans, or the file of another option, was given to `option`; null where it may be of the right kind. */
export async function findOtherContent(
  content: string | Uint8Array,
  option: keyof typeof expected,
): Promise<string | null> {
  // Loaded only here, because this error is rare.
  const [{ decodeBytes }, { formatLabels }] = await Promise.all([
    import('../decode/detect-format.ts'),
    import('../decode/reading.ts'),
  ]);
  try {
    const { spans, format } = decodeBytes(Buffer.from(content));
    if (spans.length === 0) return null;
    return `these are spans (${formatLabels[format]}), which propagation-check file takes without an option; expected ${expected[option]}`;
  } catch (error) {
    // The advice names this option: the content is of the right kind, and its fault is reported elsewhere.
    if (!(error instanceof SpanlessContentError) || error.content.includes(option)) return null;
    return `${error.content}; expected ${expected[option]}`;
  }
}
