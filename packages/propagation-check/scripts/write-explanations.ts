/** Writes what `--explain` says of the drawings; a person reads the difference. */
import { writeFileSync } from 'node:fs';
import { explanationsFile, renderExplanations } from '../test/rules/render-explanations.ts';

writeFileSync(explanationsFile, renderExplanations());
