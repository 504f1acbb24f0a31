/**
 * Writes the software bill of materials (CycloneDX) of every workspace and platform, as the lock file has it, and
 * fails when a dependency's licence is unknown or not allowed.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { runScript } from 'demo';
import { UsageError } from 'propagation-check/kit';
import { z } from 'zod';
import { allowedLicences, isAllowed, readLicence } from './licences.ts';

const root = join(import.meta.dirname, '..');
const outputLimit = 64 * 1024 * 1024;

const bomSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ name: z.string(), purl: z.string() }) }),
  components: z.array(
    z.looseObject({
      name: z.string(),
      version: z.string(),
      licenses: z
        .array(
          z.looseObject({
            license: z.looseObject({ id: z.string().optional(), name: z.string().optional() }).optional(),
            expression: z.string().optional(),
          }),
        )
        .optional(),
    }),
  ),
});

await runScript(async (signal) => {
  const [folder = root] = new Command('sbom')
    .description(
      'Write the software bill of materials (CycloneDX) to out/sbom.cdx.json and check every licence in it.',
    )
    .exitOverride()
    .allowExcessArguments(false)
    .argument('[folder]', 'a package with a lock file (default: this project)')
    .addHelpText(
      'after',
      '\nExit code: 0 every licence is allowed, 1 one is not, 2 npm cannot list the dependencies.',
    )
    .parse().args;
  const bom = await makeBom(folder, signal);
  const file = join(root, 'out', 'sbom.cdx.json');
  await mkdir(join(root, 'out'), { recursive: true });
  await writeFile(file, `${JSON.stringify(bom, null, 2)}\n`);

  const found = bom.components.map((component) => ({ ...component, licence: readLicence(component) }));
  const counts = Map.groupBy(found, ({ licence }) => licence ?? 'unknown');
  for (const [licence, of] of [...counts].toSorted(([, a], [, b]) => b.length - a.length)) {
    console.log(`${String(of.length).padStart(5)}  ${licence}`);
  }
  const forbidden = found.filter(({ licence }) => !isAllowed(licence));
  for (const { name, version, licence } of forbidden) {
    const said = licence === null ? 'is unknown' : `${licence} is not allowed`;
    console.error(`${name}@${version}: the licence ${said}`);
  }
  if (forbidden.length > 0) console.error(`allowed: ${allowedLicences.join(', ')} (lab/licences.ts)`);
  console.log(
    `${found.length} dependencies in ${file}, ${forbidden.length} with a licence that is not allowed`,
  );
  return forbidden.length === 0 ? 0 : 1;
});

async function makeBom(folder: string, signal: AbortSignal): Promise<z.infer<typeof bomSchema>> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  await access(join(folder, 'package-lock.json')).catch(() => {
    throw new UsageError(`there is no package-lock.json in ${folder}: name the folder of an npm project`);
  });
  const options = { cwd: folder, signal, maxBuffer: outputLimit, shell: process.platform === 'win32' };
  try {
    const { stdout } = await promisify(execFile)('npm', args, options);
    return nameRoot(bomSchema.parse(JSON.parse(stdout)));
  } catch (error) {
    signal.throwIfAborted();
    throw new UsageError(`npm cannot list the dependencies of ${folder}: ${describe(error)}`);
  }
}

/** npm names the root component after its folder. */
function nameRoot(bom: z.infer<typeof bomSchema>): z.infer<typeof bomSchema> {
  const { component } = bom.metadata;
  const name = /^pkg:npm\/(.+)@/.exec(component.purl)?.[1] ?? component.name;
  return { ...bom, metadata: { ...bom.metadata, component: { ...component, name } } };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = 'stderr' in error ? String(error.stderr).trim() : '';
  return said || error.message;
}
