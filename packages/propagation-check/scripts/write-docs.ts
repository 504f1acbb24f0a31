/** Writes the table of findings into `docs/findings/README.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillFindingsTable } from './findings-table.ts';

const page = new URL('../../../docs/findings/README.md', import.meta.url);
writeFileSync(page, fillFindingsTable(readFileSync(page, 'utf8')));
