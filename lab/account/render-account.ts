import { stripVTControlCharacters, styleText } from 'node:util';
import { type Account, isBalanced } from './balance.ts';

/** One table of what each hop counted, and one line for each sum. Pure. */
export function renderAccount(account: Account, { color }: { readonly color: boolean }): string {
  const { serviceA, serviceB, collector, found, sums } = account;
  const table = [
    ['spans', 'finished', 'restored', 'exported', 'dropped', 'queued'],
    ...[serviceA, serviceB].map(({ finished, restored, exported, dropped, queued }, index) => [
      index === 0 ? 'service-a' : 'service-b',
      ...[finished, restored, exported, dropped, queued].map(String),
    ]),
    ['', 'accepted', 'refused', 'sent', 'given up', 'queued'],
    [
      'otel-collector',
      ...[collector.accepted, collector.refused, collector.sent, collector.failed, collector.queued].map(
        String,
      ),
    ],
    ['', 'found'],
    ['trace store', String(found)],
  ];
  const width = Math.max(...sums.map(({ says }) => says.length));
  const lines = sums.flatMap(({ says, left, right, otherwise }) => {
    const holds = otherwise === null;
    const mark = holds ? styleText('green', '✓') : styleText('red', '✗');
    const line = `${mark} ${says.padEnd(width)}  ${left} ${holds ? '=' : '≠'} ${right}`;
    return holds ? [line] : [line, `    ${otherwise}`];
  });
  const verdict = isBalanced(account)
    ? `ACCOUNT AGREES  ${found === 0 ? 'there was no span to lose' : 'no span is lost'}`
    : 'ACCOUNT DOES NOT AGREE';
  const text = ['', ...table.map(formatRow), '', ...lines, '', verdict, ''].join('\n');
  return color ? text : stripVTControlCharacters(text);
}

function formatRow([name = '', ...numbers]: readonly string[]): string {
  return `${name.padEnd(16)}${numbers.map((number) => number.padStart(10)).join('')}`;
}
