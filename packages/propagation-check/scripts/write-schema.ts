/** Writes the schemas that are published: of a configuration file, of an expectations file and of the JSON reports. */
import { writeFileSync } from 'node:fs';
import { renderConfigurationSchema } from '../src/config/configuration-shape.ts';
import { renderExpectationSchema } from '../src/expect/read-expectation-schema.ts';
import { auditShape, renderReportSchema } from './report-shape.ts';

writeFileSync(new URL('../configuration.schema.json', import.meta.url), renderConfigurationSchema());
writeFileSync(new URL('../expectation.schema.json', import.meta.url), renderExpectationSchema());
writeFileSync(new URL('../report.schema.json', import.meta.url), renderReportSchema());
writeFileSync(new URL('../audit.schema.json', import.meta.url), renderReportSchema(auditShape));
