/** Makes `dist/`: bundles, types, and the pages of the findings and of doctor. Run by npm before it packs. */
import { chmodSync, cpSync, globSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { build as bundle } from 'rolldown';
import { build, compile } from '../../build.ts';

const manifest: { readonly dependencies: object } = JSON.parse(readFileSync('package.json', 'utf8'));
const dependencies = Object.keys(manifest.dependencies);

/** What is started or loaded by its path. Node takes longer to find and load 600 modules than to run a command. */
const entries = ['cli', 'index', 'source/piece-worker', 'report/page/page'];

await build(async (folder) => {
  await bundle({
    input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
    platform: 'node',
    transform: { target: 'node20' },
    // Not every package: the bundler imports helpers of its own, which the user does not have.
    external: (id) => isBuiltin(id) || dependencies.some((name) => id === name || id.startsWith(`${name}/`)),
    output: { dir: folder, chunkFileNames: 'chunks/[name].js' },
  });
  compile(folder, '--emitDeclarationOnly');
  removeOtherTypes(folder);
  cpSync('../../docs/findings', `${folder}/docs/findings`, { recursive: true });
  cpSync('../../docs/doctor.md', `${folder}/docs/doctor.md`);
  chmodSync(`${folder}/cli.js`, 0o755);
});

/** The compiler writes those of every module, of which the library shows few. */
function removeOtherTypes(folder: string): void {
  const shown = new Set(['index.d.ts']);
  for (const file of shown) {
    const imported = readFileSync(join(folder, file), 'utf8').matchAll(/'(\.{1,2}\/[^']+)\.ts'/g);
    for (const [, path] of imported) shown.add(join(dirname(file), `${path}.d.ts`));
  }
  for (const file of globSync('**/*.d.ts', { cwd: folder })) if (!shown.has(file)) rmSync(join(folder, file));
}
