import { escapeText } from '../../report/escape-text.ts';
import { hang, isNarrow, type Layout, narrowIndent, paint, type Style } from '../../report/layout.ts';
import { type Group, groupBy } from '../../util/group-by.ts';
import type { DoctorFinding } from '../check.ts';
import type { Diagnosis } from '../examine.ts';
import { findCheck } from '../find-check.ts';
import { countFindings, describeReading } from './describe-reading.ts';

/** Longer lines of prose are hard to read. */
const widestText = 110;
const mostPlaces = 5;
const labelWidth = 8;

const verdicts = {
  clean: ['CLEAN', 'green'],
  broken: ['BROKEN', 'red'],
  unknown: ['CANNOT TELL', 'yellow'],
} as const satisfies Record<Diagnosis['verdict'], readonly [string, Style]>;

const marks = { error: ['✗', 'red'], warning: ['!', 'yellow'], note: ['·', 'dim'] } as const satisfies Record<
  DoctorFinding['severity'],
  readonly [string, Style]
>;

/** The diagnosis for people: each check once, with its places. */
export function renderTerminal(diagnosis: Diagnosis, terminal: Layout, docsRoot: string): string {
  const layout = { ...terminal, width: Math.min(terminal.width, widestText) };
  const [named, style] = verdicts[diagnosis.verdict];
  const word = diagnosis.verdict === 'clean' && diagnosis.findings.length > 0 ? 'NO ERROR' : named;
  const reading = describeReading(diagnosis);
  const headline = hang(`${word}  `, `${diagnosis.reason ?? countFindings(diagnosis)} (${reading})`, layout);
  const alike = groupBy(diagnosis.findings, ({ id, severity }) => `${severity} ${id}`);
  const parts = [
    [
      ...headline.map((line, index) =>
        index === 0 ? paint(layout, style, word) + line.slice(word.length) : line,
      ),
      ...diagnosis.gaps.flatMap((gap) => hang('note  ', escapeText(gap), layout)),
    ],
    ...alike.map((findings) => renderCheck(findings, layout, docsRoot)),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function renderCheck(findings: Group<DoctorFinding>, layout: Layout, docsRoot: string): readonly string[] {
  const [first] = findings;
  const { title, why, fix, id } = findCheck(first.id);
  const [sign, style] = marks[first.severity];
  const unsure = first.severity === 'note' ? ', files alone do not tell' : '';
  const [head = '', ...rest] = hang('  ', `${title} (${id}${unsure})`, layout);
  const more = findings.length - mostPlaces;
  return [
    `${paint(layout, style, sign)} ${paint(layout, 'bold', head.slice(2))}`,
    ...rest.map((line) => paint(layout, 'bold', line)),
    ...findings.slice(0, mostPlaces).flatMap((finding, index) => [
      // A place is not wrapped, so that it can be clicked.
      label(index === 0 ? 'at' : '', layout) + escapeText(namePlace(finding)),
      ...hang(' '.repeat(isNarrow(layout) ? narrowIndent : labelWidth + 2), escapeText(finding.says), layout),
    ]),
    ...(more > 0 ? [`${label('', layout)}… and ${more} more`] : []),
    ...labelled('why', why, layout),
    ...labelled('fix', fix, layout),
    ...labelled('read', `${docsRoot}docs/doctor.md#${id}`, layout),
  ];
}

function labelled(name: string, text: string, layout: Layout): readonly string[] {
  return hang(' '.repeat(labelWidth), text, layout).map((line, index) =>
    index === 0 ? (label(name, layout) + line.slice(labelWidth)).trimEnd() : line,
  );
}

function label(name: string, layout: Layout): string {
  return paint(layout, 'cyan', `  ${name}`.padEnd(labelWidth));
}

function namePlace({ path, line, column }: DoctorFinding): string {
  return `${path}:${line}:${column}`;
}
