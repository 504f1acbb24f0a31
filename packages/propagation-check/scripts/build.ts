/** Builds `dist/`: bundles, types, and the pages of the findings and of doctor. npm runs it before it packs. */
import { chmodSync, cpSync, globSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { build as bundle, type RolldownOutput } from 'rolldown';
import { build, compile } from '../../build.ts';

const manifest: { readonly dependencies: object } = JSON.parse(readFileSync('package.json', 'utf8'));
const dependencies = Object.keys(manifest.dependencies);

/** Modules that Node loads by their path. Each is bundled, because loading 280 modules takes longer than running a command. */
const entries = ['cli', 'index', 'source/piece-worker', 'report/page/page'];

await build(async (folder) => {
  const { output } = await bundle({
    input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
    platform: 'node',
    transform: { target: 'node20' },
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message);
    },
    output: { dir: folder, chunkFileNames: 'chunks/[name].js' },
  });
  refuseForeign(output);
  // Without type checks, which take three times as long: `npm run check` makes them with the same project.
  compile(folder, '--emitDeclarationOnly', '--noCheck');
  removeOtherTypes(folder);
  cpSync('../../docs/findings', `${folder}/docs/findings`, { recursive: true });
  cpSync('../../docs/doctor.md', `${folder}/docs/doctor.md`);
  chmodSync(`${folder}/cli.js`, 0o755);
});

/**
 * Refuses bundles with code of dependencies, which npm installs with their licences, and bundles that import a package that is not a
 * dependency. The bundler's own helpers are allowed.
 */
function refuseForeign(output: RolldownOutput['output']): void {
  const own = new Set(output.map(({ fileName }) => fileName));
  const isKnown = (id: string) =>
    own.has(id) || isBuiltin(id) || dependencies.some((name) => id === name || id.startsWith(`${name}/`));
  const chunks = output.filter((each) => each.type === 'chunk');
  const packed = chunks.flatMap(({ moduleIds }) => moduleIds);
  const foreign = [
    ...packed.filter((id) => id.includes('/node_modules/') || id.startsWith('\0@oxc-project')),
    ...chunks
      .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
      .filter((id) => !isKnown(id)),
  ];
  if (foreign.length > 0) throw new Error(`not in the dependencies of package.json: ${foreign.join(', ')}`);
}

/** Removes the types of modules that the library does not export: the compiler writes those of all modules, with either kind of quote. */
function removeOtherTypes(folder: string): void {
  const shown = new Set(['index.d.ts']);
  for (const file of shown) {
    const imported = readFileSync(join(folder, file), 'utf8').matchAll(/["'](\.{1,2}\/[^"']+)\.ts["']/g);
    for (const [, path] of imported) shown.add(join(dirname(file), `${path}.d.ts`));
  }
  for (const file of globSync('**/*.d.ts', { cwd: folder })) if (!shown.has(file)) rmSync(join(folder, file));
  removeEmptyFolders(folder);
}

function removeEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
