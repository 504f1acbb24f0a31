/** Writes the generated documentation: the table of findings, the checks of doctor, and the reference of the command line. */
import { readFileSync, writeFileSync } from 'node:fs';
import { renderCliReference } from './cli-reference.ts';
import { renderDoctorPage } from './doctor-page.ts';
import { fillFindingsTable } from './findings-table.ts';

const docs = new URL('../../../docs/', import.meta.url);

const findings = new URL('findings/README.md', docs);
writeFileSync(findings, fillFindingsTable(readFileSync(findings, 'utf8')));

writeFileSync(new URL('cli.md', docs), renderCliReference());
writeFileSync(new URL('doctor.md', docs), renderDoctorPage());
