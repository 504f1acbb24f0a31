/** Makes the pictures of `docs/pictures` from the output of the programs: `npm run pictures`. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { runScript } from 'demo';
import { UsageError } from 'propagation-check/kit';
import { launchChromium, obstacle } from './browser/launch-chromium.ts';
import { drawTerminal } from './draw-terminal.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'docs', 'pictures');
const columns = 100;
const size = { width: 1_200, height: 705 };

await runScript(async (signal) => {
  new Command('pictures')
    .description(
      'Make the pictures of the documentation from real output, with Chromium for the HTML report.',
    )
    .exitOverride()
    .allowExcessArguments(false)
    .parse();
  if (obstacle !== null) throw new UsageError(obstacle);
  await mkdir(folder, { recursive: true });

  await run(['scripts/demo.ts', '--fault', 'strip-traceparent'], signal);
  const files = ['out/demo-spans.otlp.jsonl', '--wire', 'out/demo-headers.jsonl'];
  // The tree report, as a terminal shows it.
  const options = ['--expectations', 'scripts/expectations/auto.yaml', '--report', 'tree'];
  const printed = await run(['packages/propagation-check/src/cli.ts', 'file', ...files, ...options], signal);
  const command = 'propagation-check file spans.jsonl --wire wire.jsonl';
  await writeFile(join(folder, 'terminal.svg'), drawTerminal(command, `$ ${command}\n\n${printed}`));

  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: size, colorScheme: 'light' });
    await page.goto(pathToFileURL(join(root, 'out', 'demo-report.html')).href);
    await page.screenshot({ path: join(folder, 'report.png') });
  } finally {
    await browser.close();
  }
  return 0;
});

/** Both programs find a broken edge, so their exit code is 1. */
function run([script = '', ...args]: readonly string[], signal: AbortSignal): Promise<string> {
  const env = { ...process.env, FORCE_COLOR: '1', COLUMNS: String(columns) };
  const options = { cwd: root, env, signal };
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['--conditions=trace-context-source', join(root, script), ...args],
      options,
      (_error, stdout, stderr) => {
        if (child.exitCode === 1) resolve(stdout);
        else reject(new Error(`${script} ended with exit code ${child.exitCode}: ${stderr}`));
      },
    );
  });
}
