import type { DoctorCheck } from '../src/doctor/check.ts';
import { doctorChecks } from '../src/doctor/checks.ts';

const intro = `# doctor

\`propagation-check doctor [FOLDER]\` reads the files of a project and says what will break propagation, before a request is made.
It executes nothing. Each check has an entry here, which \`npm run docs -w propagation-check\` writes, and in the repository a project
that shows it and a healthy twin (\`packages/propagation-check/test/doctor/fixtures/ID\`).

An **error** breaks propagation wherever it is seen. A **warning** does unless something outside of the files makes up for it. A **note** says where to look,
because files alone do not tell. Only errors give exit code 1.

In JSON, \`"verdict": "clean"\` means that no finding is an error: \`findings\` may hold warnings and notes. The terminal then says NO ERROR instead of CLEAN.

A comment on the line of a finding, or on the one before, accepts it: \`# propagation-check-ignore ID\`.
`;

/** The page of all checks: `docs/doctor.md`. */
export function renderDoctorPage(): string {
  const rows = doctorChecks.map(
    ({ id, severity, title }) => `| [${id}](#${id}) | ${title} | ${severity} |\n`,
  );
  return [
    intro,
    `| check | what it sees | |\n|---|---|---|\n${rows.join('')}`,
    ...doctorChecks.map(renderCheck),
  ].join('\n');
}

function renderCheck({ id, title, why, fix, example, leadsTo }: DoctorCheck): string {
  const findings = leadsTo.map((finding) => `[${finding}](findings/${finding}.md)`);
  return `## ${id}

**${title}.** ${why}

${fix}

\`\`\`${example.language}
${example.text}
\`\`\`

In spans: ${findings.join(', ')}.
`;
}
