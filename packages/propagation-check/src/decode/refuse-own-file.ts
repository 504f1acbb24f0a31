import { makeSpanlessError } from './decode-error.ts';

type Document = Readonly<Record<string, unknown>>;

interface OwnFile {
  /** The document has all these fields. */
  readonly fields: readonly [string, ...string[]];
  readonly matches?: (document: Document) => boolean;
  readonly is: string;
  readonly advice?: string;
}

const ofReport = 'name the files that it was made of';

/** The files without spans that this tool writes. */
const ownFiles: readonly OwnFile[] = [
  {
    fields: ['tap', 'target', 'sent', 'received'],
    is: 'these are records of propagation-check tap',
    advice: 'name them beside the file of spans: --wire FILE',
  },
  {
    fields: ['kind'],
    matches: ({ kind }) => kind === 'audit-state',
    is: 'this is the state of propagation-check audit',
    advice: 'name it with --state FILE',
  },
  {
    fields: ['savedAt', 'totals', 'exports', 'edges'],
    is: 'this is the state of propagation-check sink',
    advice: 'name it with sink --state FILE',
  },
  {
    fields: ['version', 'outcome', 'window'],
    is: 'this is a report of propagation-check audit',
    advice: ofReport,
  },
  {
    fields: ['version', 'verdict', 'checks', 'accepted'],
    is: 'this is a report of propagation-check doctor',
  },
  {
    fields: ['version', 'verdict', 'edges', 'findings'],
    is: 'this is a report of propagation-check',
    advice: ofReport,
  },
  {
    fields: ['known'],
    matches: ({ known }) => Array.isArray(known),
    is: 'this is a baseline of propagation-check',
    advice: 'name it with --baseline FILE',
  },
  {
    fields: ['$schema', 'runs'],
    is: 'this is a report in SARIF',
  },
];

/** @throws {SpanlessContentError} for a file without spans that this tool writes; the message names the option that reads it. */
export function refuseOwnFile(document: Document): void {
  const own = ownFiles.find(
    ({ fields, matches = () => true }) =>
      fields.every((field) => Object.hasOwn(document, field)) && matches(document),
  );
  if (own !== undefined) throw makeSpanlessError(own.fields[0], own.is, own.advice);
}
