import { escapeJson } from '../../util/escape-json.ts';
import type { DoctorFinding } from '../check.ts';
import { doctorChecks } from '../checks.ts';
import type { Diagnosis } from '../examine.ts';
import { findCheck } from '../find-check.ts';

/** Source: SARIF 2.1.0 (OASIS); GitHub, "SARIF support for code scanning". */
export function renderSarif(diagnosis: Diagnosis, version: string): string {
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'propagation-check', version, rules: doctorChecks.map(describeRule) } },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: diagnosis.verdict !== 'unknown',
            toolExecutionNotifications: [
              ...(diagnosis.reason === null ? [] : [diagnosis.reason]),
              ...diagnosis.gaps,
            ].map((text) => ({ level: 'note', message: { text } })),
          },
        ],
        results: diagnosis.findings.map(describeResult),
      },
    ],
  };
  return `${escapeJson(JSON.stringify(log, null, 2))}\n`;
}

function describeRule({ id, title, why, fix, severity, example }: (typeof doctorChecks)[number]) {
  const code = `\`\`\`${example.language}\n${example.text}\n\`\`\``;
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: fix, markdown: `${why}\n\n${fix}\n\n${code}` },
    defaultConfiguration: { level: severity },
    properties: { tags: ['opentelemetry', 'trace-context'] },
  };
}

function describeResult({ id, severity, path, line, column, says }: DoctorFinding) {
  return {
    ruleId: id,
    ruleIndex: doctorChecks.indexOf(findCheck(id)),
    level: severity,
    message: { text: `${says}. ${findCheck(id).fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: {
            uri: path.split('/').map(encodeURIComponent).join('/'),
            uriBaseId: '%SRCROOT%',
          },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
    // Without the line, which may move.
    partialFingerprints: { 'propagationCheck/v1': `${id}:${path}:${says}` },
  };
}
