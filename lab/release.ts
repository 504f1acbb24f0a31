/**
 * Makes the files of a release in `out/release`: the packed packages, their checksums, and the notes of CHANGELOG.md.
 * Publishes nothing; `.github/workflows/release.yml` does.
 */
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { runScript } from 'demo';
import { z } from 'zod';
import {
  findContentFaults,
  findVersionFaults,
  type Manifest,
  manifestSchema,
  readNotes,
} from './check-release.ts';
import { runCommand } from './run-command.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'out', 'release');

const packedSchema = z.array(
  z.object({ name: z.string(), filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
);

await runScript(async (signal) => {
  const [tag] = new Command('release')
    .description('Pack what is published into out/release, with checksums and notes, and check it.')
    .exitOverride()
    .allowExcessArguments(false)
    .argument('[tag]', 'v and a version (default: that of propagation-check)')
    .addHelpText('after', '\nExit code: 0 it can be published, 1 it cannot.')
    .parse().args;
  const manifests = await readPublished();
  const version = tag?.replace(/^v/, '') ?? findVersion(manifests);
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  const faults = [...findVersionFaults(manifests, version, changelog)];
  if (faults.length === 0) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const manifest of manifests) faults.push(...(await pack(manifest, signal)));
    await writeFile(join(folder, 'notes.md'), `${readNotes(changelog, version)}\n`);
  }
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
});

async function readPublished(): Promise<readonly Manifest[]> {
  const paths = globSync('packages/*/package.json', { cwd: root }).toSorted();
  const manifests = await Promise.all(
    paths.map(async (path) => manifestSchema.parse(JSON.parse(await readFile(join(root, path), 'utf8')))),
  );
  return manifests.filter((manifest) => manifest.private !== true);
}

function findVersion(manifests: readonly Manifest[]): string {
  return manifests.find(({ name }) => name === 'propagation-check')?.version ?? '';
}

/** @returns the faults of the packed package */
async function pack(manifest: Manifest, signal: AbortSignal): Promise<readonly string[]> {
  const args = ['pack', '--json', '--workspace', manifest.name, '--pack-destination', folder];
  const { stdout } = await runCommand('npm', args, { signal });
  const [packed] = packedSchema.parse(JSON.parse(stdout));
  if (packed === undefined) return [`${manifest.name}: npm has packed nothing`];
  const bytes = await readFile(join(folder, packed.filename));
  const checksum = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(folder, 'SHA256SUMS'), `${checksum}  ${packed.filename}\n`, { flag: 'a' });
  console.log(`${checksum}  ${packed.filename}, ${packed.files.length} files`);
  return findContentFaults(
    manifest,
    packed.files.map(({ path }) => path),
  );
}
