import { faults } from 'faults';
import type { FindingId } from 'propagation-check';
import { listModes } from './cases.ts';
import { readExpectation } from './expectations.ts';

const header = [
  '`FAULT=`',
  'in',
  'how it is made',
  '`PROPAGATION=`',
  'statements that fail',
  'cause',
  'from spans alone',
];

/** @returns `docs/faults.md` with the current table */
export function updateFaultTable(page: string): string {
  return page.replace(/(?<=^<!-- faults -->\n).*(?=^<!-- \/faults -->$)/ms, () => renderTable());
}

function renderTable(): string {
  const rows = [...faults].map(([name, { where, made }]) => {
    const { fails, failsInManual, cause, fromSpans } = readExpectation(name);
    const manual = failsInManual?.filter((number) => !fails.includes(number)) ?? [];
    const statements = [...fails, ...manual.map((number) => `${number} (manual)`)].join(', ');
    const symptom = fromSpans === cause ? 'the same' : link(fromSpans);
    return [
      `[\`${name}\`](../faults/${name}.ts)`,
      where,
      made,
      listModes(name).join(', '),
      statements,
      link(cause),
      symptom,
    ];
  });
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

const link = (id: FindingId): string => `[${id}](findings/${id}.md)`;
