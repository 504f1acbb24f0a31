/** Makes `dist/`: the compiled sources and the pages of the findings and of doctor. Run by npm before it packs. */
import { chmodSync, cpSync } from 'node:fs';
import { compile } from '../../build.ts';

// The compiler leaves out what is JavaScript already.
cpSync('src/decode/generated', 'dist/decode/generated', { recursive: true });
cpSync('../../docs/findings', 'dist/docs/findings', { recursive: true });
cpSync('../../docs/doctor.md', 'dist/docs/doctor.md');
// The script of the HTML report is compiled for a browser.
compile(
  'src/report/page',
  '--noEmit',
  'false',
  '--rewriteRelativeImportExtensions',
  'true',
  '--target',
  'es2023',
  '--outDir',
  'dist/report/page',
);
chmodSync('dist/cli.js', 0o755);
