/**
 * Runs the quick tests below a folder, by default this one: `run-quick-tests.mjs [FOLDER]`.
 * The files of a folder share a process, because a process start takes longer than most files. Files that end in `.alone.test.ts` test
 * global state of a process, and each gets its own.
 */
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';
import report from './quiet-reporter.mjs';

/** Keeps two cores busy while some tests wait. */
const concurrency = 4;
/** In ms. A test that takes longer hangs. */
const timeout = 120_000;

const root = resolve(process.argv[2] ?? '.');
const temporary = mkdtempSync(join(tmpdir(), 'quick-tests-'));
process.on('exit', () => rmSync(temporary, { recursive: true }));

const found = findFiles();
if (found.length === 0) {
  process.stderr.write(`There are no quick tests below ${root}\n`);
  process.exit(2);
}
const groups = groupFiles(found);
const unfinished = await runFiles([...groups.keys()]);
// A process that exited early has not run all of its files: run each of them in its own process.
const alone = unfinished.flatMap((file) => groups.get(file));
if (alone.length > 0) {
  process.exitCode = 1;
  process.stdout.write(`\nA process ended before its tests. One by one: ${alone.map(shorten).join(' ')}\n`);
  for (const file of await runFiles(alone)) process.stdout.write(`✖ ${shorten(file)} ends its process\n`);
}

/** @returns the files whose processes exited before their tests ended */
async function runFiles(files) {
  const unfinished = new Set(files);
  const events = run({ files, concurrency, timeout });
  events.on('test:summary', ({ file, success }) => {
    unfinished.delete(file);
    if (!success) process.exitCode = 1;
  });
  for await (const text of events.compose(report)) process.stdout.write(text);
  return [...unfinished];
}

function findFiles() {
  // Mutation tests copy a package into `.stryker-tmp` and `reports`.
  const exclude = (path) => /(^|[/\\])(node_modules|reports|\.stryker-tmp)$/.test(path);
  return globSync('**/test/**/!(*.process|*.scale|*.clickhouse).test.ts', { cwd: root, exclude })
    .map((file) => resolve(root, file))
    .toSorted();
}

/** The files to run, each with its test files; the largest first, so that all processes end at about the same time. */
function groupFiles(files) {
  const folders = Map.groupBy(
    files.filter((file) => !isAlone(file)),
    dirname,
  );
  const bySize = [...folders.values()].toSorted((a, b) => b.length - a.length);
  return new Map([
    ...files.filter(isAlone).map((file) => [file, [file]]),
    ...bySize.map((group) => [writeGroup(group), group]),
  ]);
}

function isAlone(file) {
  return file.endsWith('.alone.test.ts');
}

/** @returns a file that loads the tests of others */
function writeGroup(files) {
  const path = join(temporary, `${shorten(dirname(files[0])).replaceAll(/[/\\]/g, '-')}.mjs`);
  const loader = JSON.stringify(new URL('load-tests.ts', import.meta.url));
  const urls = JSON.stringify(files.map((file) => pathToFileURL(file)));
  writeFileSync(path, `import { loadTests } from ${loader};\nawait loadTests(${urls});\n`);
  return path;
}

function shorten(file) {
  return relative(root, file);
}
