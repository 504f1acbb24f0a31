/** Writes the table of findings into `docs/findings/README.md`, and `docs/doctor.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { renderDoctorPage } from './doctor-page.ts';
import { fillFindingsTable } from './findings-table.ts';

const docs = new URL('../../../docs/', import.meta.url);
const page = new URL('findings/README.md', docs);
writeFileSync(page, fillFindingsTable(readFileSync(page, 'utf8')));
writeFileSync(new URL('doctor.md', docs), renderDoctorPage());
