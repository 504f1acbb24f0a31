/** Writes the operator's resources from the Collector's configuration files: `node scripts/run.mjs lab/deploy/write-operator.ts`. */
import { writeFile } from 'node:fs/promises';
import { collectorsFile, composeOperatorCollectors } from './operator-collectors.ts';

await writeFile(collectorsFile, await composeOperatorCollectors());
