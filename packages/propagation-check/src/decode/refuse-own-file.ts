import { SpanlessContentError } from './decode-error.ts';

type Document = Readonly<Record<string, unknown>>;

interface OwnFile {
  /** The document has all of them. */
  readonly fields: readonly string[];
  readonly matches?: (document: Document) => boolean;
  readonly says: string;
}

const noSpans = 'which holds no spans; name the files that it was made of';

/** The files without spans that this tool writes. */
const ownFiles: readonly OwnFile[] = [
  {
    fields: ['tap', 'target', 'sent', 'received'],
    says: 'these are records of propagation-check tap, which hold headers and no spans; name them beside the file of spans: --wire FILE',
  },
  {
    fields: ['kind'],
    matches: ({ kind }) => kind === 'audit-state',
    says: 'this is the state of propagation-check audit, and no spans; name it with --state FILE',
  },
  {
    fields: ['savedAt', 'totals', 'exports', 'edges'],
    says: 'this is the state of propagation-check sink, which holds counters and no spans; name it with sink --state FILE',
  },
  {
    fields: ['version', 'outcome', 'window'],
    says: `this is a report of propagation-check audit, ${noSpans}`,
  },
  {
    fields: ['version', 'verdict', 'checks', 'accepted'],
    says: 'this is a report of propagation-check doctor, which is about files and holds no spans',
  },
  {
    fields: ['version', 'verdict', 'edges', 'findings'],
    says: `this is a report of propagation-check, ${noSpans}`,
  },
  {
    fields: ['known'],
    matches: ({ known }) => Array.isArray(known),
    says: 'this is a baseline of propagation-check, and no spans; name it with --baseline FILE',
  },
  {
    fields: ['$schema', 'runs'],
    says: 'this is a report in SARIF, and no spans',
  },
];

/** @throws {SpanlessContentError} for a file that this tool writes and that holds no spans: which option takes it. */
export function refuseOwnFile(document: Document): void {
  const own = ownFiles.find(
    ({ fields, matches = () => true }) =>
      fields.every((field) => Object.hasOwn(document, field)) && matches(document),
  );
  if (own !== undefined) throw new SpanlessContentError(`${own.fields[0]}: ${own.says}`);
}
