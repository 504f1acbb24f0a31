/** Makes `dist/`: the compiled sources and the pages of the findings. Run by npm before it packs. */
import { chmodSync, cpSync } from 'node:fs';
import '../../build.ts';

// The compiler leaves out what is JavaScript already.
cpSync('src/decode/generated', 'dist/decode/generated', { recursive: true });
cpSync('../../docs/findings', 'dist/docs/findings', { recursive: true });
chmodSync('dist/cli.js', 0o755);
