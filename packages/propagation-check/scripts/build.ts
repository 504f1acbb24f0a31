/** Makes `dist/`: the compiled sources and the pages of the findings and of doctor. Run by npm before it packs. */
import { chmodSync, cpSync } from 'node:fs';
import { build, compile } from '../../build.ts';

build((folder) => {
  // The compiler leaves out what is JavaScript already.
  cpSync('src/decode/generated', `${folder}/decode/generated`, { recursive: true });
  cpSync('../../docs/findings', `${folder}/docs/findings`, { recursive: true });
  cpSync('../../docs/doctor.md', `${folder}/docs/doctor.md`);
  // The script of the HTML report is compiled for a browser.
  compile('src/report/page', `${folder}/report/page`, '--noEmit', 'false');
  chmodSync(`${folder}/cli.js`, 0o755);
});
