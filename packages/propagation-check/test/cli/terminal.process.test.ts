import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { drawSplitCall } from '../draw-trace.ts';
import { entry } from './run-cli.ts';

const skip = spawnSync('script', ['--version']).error === undefined ? false : 'there is no `script`';

/** No other variables, because some say that a coding agent reads the output. */
const { PATH, HOME } = process.env;
const person = { PATH, HOME, TERM: 'xterm', LC_ALL: 'C.UTF-8' };

describe('the default report', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'terminal-'));
    path = join(folder, 'spans.jsonl');
    await writeFile(path, encodeOtlpLines(drawSplitCall()));
  });
  after(() => rm(folder, { recursive: true }));

  const show = (columns: number, env: NodeJS.ProcessEnv, options = ''): string => {
    const command = `stty cols ${columns} rows 24; exec ${process.execPath} ${entry} file ${path} ${options}`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env });
    return stdout.replaceAll('\r\n', '\n');
  };
  const pipe = (env: NodeJS.ProcessEnv, ...options: readonly string[]): string =>
    spawnSync(process.execPath, [entry, 'file', path, ...options], { encoding: 'utf8', env }).stdout;

  it('is the picture on a terminal, on one screen', { skip }, () => {
    const shown = show(80, person);
    assert.match(shown, /█/);
    assert.notEqual(stripVTControlCharacters(shown), shown);
    const lines = stripVTControlCharacters(shown).trimEnd().split('\n');
    const screen = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / 80)), 0);
    assert.ok(screen < 24, shown);
  });

  it('has no colour with NO_COLOR, and only ASCII where the locale has no more', { skip }, () => {
    const shown = show(80, { ...person, NO_COLOR: '1', LC_ALL: 'C' });
    assert.match(shown, /#{3}/);
    assert.match(shown, /^[\n -~]+$/);
  });

  it('is text in a pipe, the same at every width of the terminal around it, and for an agent at a terminal', {
    skip,
  }, () => {
    const text = pipe(person);
    assert.equal(stripVTControlCharacters(text), text);
    assert.doesNotMatch(text, /█/);
    assert.match(text, /^ {2}scopes|^ {2}to decide/m);
    assert.equal(stripVTControlCharacters(show(100, { ...person, AI_AGENT: 'robot' })), text);
    assert.equal(pipe(person, '--report', 'terminal'), text);
  });

  it('is the picture in a pipe where it is asked for', () => {
    assert.match(pipe({ ...person, COLUMNS: '60' }, '--report', 'tree'), /█/);
  });
});
