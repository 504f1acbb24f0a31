import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { packSpans, sizeOf } from '../src/batch.ts';
import { Spool } from '../src/spool.ts';
import { accept, answerWith, startReceiver } from './start-receiver.ts';
import { endSpans, exportSpans, listen, makeFolder, startDelivery, waitUntil } from './support.ts';

const run = promisify(execFile);
const unbounded = Number.POSITIVE_INFINITY;

/** Writes a spool file with these spans, each in its own batch. */
async function leaveSpans(folder: string, ...names: readonly string[]): Promise<string> {
  const before = await readdir(folder);
  const spool = new Spool(folder, unbounded);
  await spool.save(names.map((name) => packSpans(endSpans(name))));
  const [file] = (await readdir(folder)).filter((name) => !before.includes(name));
  assert.ok(file !== undefined);
  return join(folder, file);
}

test('the next start delivers the spans that a stop has saved, and deletes the file', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  await using dead = await startReceiver(() => {});
  const stopped = startDelivery(t, dead.url, { spoolDirectory: folder.path });
  for (const name of ['first', 'second', 'third']) exportSpans(stopped, name);
  await stopped.shutdown();
  assert.ok(said.some((line) => line.startsWith('3 spans are kept for the next start')));
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 3);
  assert.deepEqual(receiver.accepted.toSorted(), ['first', 'second', 'third']);
  assert.equal(delivery.counts.restored, 3);
  await delivery.shutdown();
  assert.deepEqual(await readdir(folder.path), []);
});

test('a file stays through any number of starts until its spans are delivered', async (t) => {
  await using folder = await makeFolder();
  await leaveSpans(folder.path, 'first');
  await using refusing = await startReceiver(answerWith(503));
  for (const name of ['second', 'third']) {
    const delivery = startDelivery(t, refusing.url, { spoolDirectory: folder.path });
    await waitUntil(() => delivery.counts.restored > 0);
    exportSpans(delivery, name);
    await delivery.shutdown();
    assert.equal((await readdir(folder.path)).length, 1);
  }
  // Another receiver, because the first may still have a request of an attempt that the stop ended.
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 3);
  assert.deepEqual(receiver.accepted.toSorted(), ['first', 'second', 'third']);
});

test('a stop during a delivery keeps only undelivered spans', async (t) => {
  await using folder = await makeFolder();
  await leaveSpans(folder.path, 'first', 'second', 'third');
  await using receiver = await startReceiver((response, request, names) =>
    names.includes('third') ? undefined : accept(response, request, names),
  );
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 2);
  await delivery.shutdown();
  receiver.answer = accept;
  const next = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => next.counts.exported === 1);
  assert.equal(next.counts.restored, 1);
  assert.deepEqual(receiver.accepted.toSorted(), ['first', 'second', 'third']);
});

test('a stop waits for files that are being deleted', async () => {
  await using folder = await makeFolder();
  for (let file = 0; file < 40; file += 1) await leaveSpans(folder.path, 'span');
  const spool = new Spool(folder.path, unbounded);
  const paths: string[] = [];
  for (let taken = await spool.take(() => true); taken !== null; taken = await spool.take(() => true)) {
    paths.push(taken.path);
  }
  const settled = Promise.all(paths.map((path) => spool.settle(path)));
  await spool.save([]);
  assert.deepEqual(
    paths.filter((path) => existsSync(path)),
    [],
  );
  await settled;
});

test('only one of two instances takes the file', async (t) => {
  await using folder = await makeFolder();
  await leaveSpans(folder.path, 'first', 'second');
  await using receiver = await startReceiver();
  const deliveries = await Promise.all(
    [1, 2, 3, 4].map(() => startDelivery(t, receiver.url, { spoolDirectory: folder.path })),
  );
  await waitUntil(() => deliveries.some(({ counts }) => counts.exported === 2));
  for (const delivery of deliveries) await delivery.shutdown();
  assert.deepEqual(deliveries.map(({ counts }) => counts.restored).toSorted(), [0, 0, 0, 2]);
  assert.deepEqual(receiver.accepted.toSorted(), ['first', 'second']);
});

test('a file that an instance has taken is free again after the lease, and not before', async () => {
  await using folder = await makeFolder();
  const file = await leaveSpans(folder.path, 'span');
  const killed = new Spool(folder.path, unbounded);
  const taken = await killed.take(() => true);
  assert.equal(taken?.batches.length, 1);
  const other = new Spool(folder.path, unbounded);
  assert.equal(await other.take(() => true), null);
  const longAgo = new Date(Date.now() - 61_000);
  await utimes(taken.path, longAgo, longAgo);
  const retaken = await other.take(() => true);
  assert.equal(retaken?.batches.length, 1);
  assert.notEqual(retaken.path, file);
});

test('a complete file of a stop that was killed is delivered after the lease', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  const longAgo = new Date(Date.now() - 61_000);
  for (const [name, length] of [
    ['whole', undefined],
    ['part', -1],
  ] as const) {
    const file = await leaveSpans(folder.path, name);
    await writeFile(`${file}.unfinished`, (await readFile(file)).subarray(0, length));
    await utimes(`${file}.unfinished`, longAgo, longAgo);
    await rm(file);
  }
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 1);
  await delivery.shutdown();
  assert.deepEqual(receiver.accepted, ['whole']);
  assert.equal(said.filter((line) => line.includes('is damaged')).length, 1, said.join('\n'));
  assert.deepEqual(
    (await readdir(folder.path)).map((name) => name.replace(/^.*\./, '')),
    ['damaged'],
  );
});

describe('a file that is damaged is said and set aside, and all others are delivered:', () => {
  const damages: Readonly<Record<string, (whole: Buffer) => Buffer | string>> = {
    empty: () => '',
    'cut off': (whole) => whole.subarray(0, -1),
    'cut off in its head': (whole) => whole.subarray(0, 20),
    'longer than it should be': (whole) => Buffer.concat([whole, Buffer.from('x')]),
    'one bit changed': (whole) => {
      const changed = Buffer.from(whole);
      changed[changed.length - 5] = (changed[changed.length - 5] ?? 0) ^ 1;
      return changed;
    },
    'no JSON': () => 'something else\n',
    'JSON of another kind': () => 'null\n',
    'sizes that are not its own': (whole) => edit(whole, '"bytes":', '"bytes":1'),
    'a number that cannot be': (whole) => edit(whole, '"spans":1', '"spans":-1'),
  };
  for (const [damage, change] of Object.entries(damages)) {
    test(damage, async (t) => {
      const said = listen();
      await using folder = await makeFolder();
      const bad = await leaveSpans(folder.path, 'bad');
      await writeFile(bad, change(await readFile(bad)));
      await leaveSpans(folder.path, 'good');
      await using receiver = await startReceiver();
      const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
      await waitUntil(() => delivery.counts.exported === 1);
      await delivery.shutdown();
      assert.deepEqual(receiver.accepted, ['good']);
      assert.equal(said.filter((line) => line.includes('is damaged')).length, 1, said.join('\n'));
      assert.deepEqual(
        (await readdir(folder.path)).map((name) => name.replace(/^.*\./, '')),
        ['damaged'],
      );
    });
  }
});

test('a batch that cannot be read is counted and reported, and does not delay others', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  const spool = new Spool(folder.path, unbounded);
  await spool.save([
    { spans: 3, body: gzipSync('{"format":"of another version"}'), spoolFile: null },
    packSpans(endSpans('good')),
  ]);
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 1);
  await delivery.shutdown();
  assert.deepEqual(receiver.accepted, ['good']);
  assert.equal(delivery.counts.dropped.refused, 3);
  assert.match(said.join('\n'), /^3 spans are lost.*nobody can read them/m);
  assert.deepEqual(await readdir(folder.path), []);
});

test('does not touch files of others', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  const foreign = ['.gitkeep', 'notes.txt', 'spans-1-0123abcd.spool.unfinished'];
  for (const name of foreign) await writeFile(join(folder.path, name), 'mine');
  await mkdir(join(folder.path, 'lost+found'));
  await leaveSpans(folder.path, 'span');
  await using receiver = await startReceiver();
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 1);
  await delivery.shutdown();
  assert.deepEqual(await readdir(folder.path), [...foreign, 'lost+found'].toSorted());
  assert.deepEqual(
    said.filter((line) => line.includes('spool')),
    [],
  );
});

test('files for which there is no room wait until there is', async (t) => {
  await using folder = await makeFolder();
  const long = 'x'.repeat(100);
  const names = Array.from({ length: 60 }, (_, index) => `${index} ${long}`);
  await leaveSpans(folder.path, ...names.slice(0, 30));
  await leaveSpans(folder.path, ...names.slice(30));
  await using receiver = await startReceiver(answerWith(503));
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path, maxBytes: 20_000 });
  await receiver.until(() => receiver.received.length > 0);
  assert.equal(delivery.counts.restored, 30);
  receiver.answer = accept;
  await waitUntil(() => delivery.counts.exported === 60);
  // On a busy machine an answer may come too late, and the batch is sent again.
  assert.deepEqual([...new Set(receiver.accepted)].toSorted(), names.toSorted());
});

test('the bound counts the memory of a file, not only its size on the disk', async (t) => {
  await using folder = await makeFolder();
  const names = Array.from({ length: 20 }, (_, index) => `span ${index}`);
  const bytes = names.reduce((sum, name) => sum + sizeOf(packSpans(endSpans(name))), 0);
  for (let file = 0; file < 2; file += 1) await leaveSpans(folder.path, ...names);
  await using receiver = await startReceiver(answerWith(503));
  const maxBytes = Math.round(bytes * 1.9);
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path, maxBytes });
  await receiver.until(() => receiver.received.length > 0);
  assert.equal(delivery.counts.restored, 20);
  assert.ok(delivery.counts.backlogBytes <= maxBytes);
  // A file that does not fit stays free for another instance.
  assert.equal((await readdir(folder.path)).filter((name) => name.endsWith('.spool')).length, 1);
  receiver.answer = accept;
  await waitUntil(() => delivery.counts.exported === 40);
});

test('where the spool fails at a stop, lost spans are counted and reported', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  await using receiver = await startReceiver(() => {});
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  exportSpans(delivery, 'first', 'second');
  await rm(folder.path, { recursive: true });
  await delivery.shutdown();
  assert.equal(delivery.counts.dropped.not_saved, 2);
  assert.match(said.join('\n'), /^2 spans are lost.*ENOENT/m);
});

test('the bound of a folder includes damaged files: spans beyond it are counted and reported as lost', async (t) => {
  const said = listen();
  await using folder = await makeFolder();
  await writeFile(join(folder.path, 'spans-1-0123abcd.spool.damaged'), 'x'.repeat(60_000));
  await writeFile(join(folder.path, 'notes.txt'), 'x'.repeat(60_000));
  await using receiver = await startReceiver(() => {});
  for (const [name, spoolBytes, lost] of [
    ['first', 61_000, 0],
    ['second', 61_000, 0],
    ['third', 60_100, 1],
  ] as const) {
    const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path, spoolBytes });
    exportSpans(delivery, name);
    await delivery.shutdown();
    assert.equal(delivery.counts.dropped.not_saved, lost, name);
  }
  assert.match(said.join('\n'), /^1 spans are lost.*holds 60000 bytes in 1 files.*spool\.maxBytes/m);
  receiver.answer = accept;
  const delivery = startDelivery(t, receiver.url, { spoolDirectory: folder.path });
  await waitUntil(() => delivery.counts.exported === 2);
  assert.deepEqual(receiver.accepted.toSorted(), ['first', 'second']);
});

test('a folder that cannot be created or written is refused', async () => {
  await using folder = await makeFolder();
  const file = join(folder.path, 'file');
  await writeFile(file, '');
  assert.throws(() => new Spool(join(file, 'below'), unbounded), { name: 'SpoolError', message: /ENOTDIR/ });
});

function edit(whole: Buffer, from: string, to: string): Buffer {
  return Buffer.from(whole.toString('latin1').replace(from, to), 'latin1');
}

const mountable = await canMount();

describe('on a real disk of 64 KiB', { skip: mountable ? false : 'needs the right to mount one' }, () => {
  /** More spans than the disk has room for. */
  const many = Array.from({ length: 1_000 }, (_, index) => `${index} ${randomBytes(64).toString('hex')}`);

  test('that is full: lost spans are counted and reported, and the next stop finds the same room', async (t) => {
    const said = listen();
    await using disk = await mountDisk();
    await leaveSpans(disk.path, 'before');
    await using receiver = await startReceiver(() => {});
    const first = startDelivery(t, receiver.url, { spoolDirectory: disk.path });
    await waitUntil(() => first.counts.restored === 1);
    exportSpans(first, ...many);
    await first.shutdown();
    assert.equal(first.counts.dropped.not_saved, many.length);
    assert.match(said.join('\n'), /^1000 spans are lost.*ENOSPC/m);
    const second = startDelivery(t, receiver.url, { spoolDirectory: disk.path });
    exportSpans(second, 'after');
    await second.shutdown();
    assert.equal(second.counts.dropped.not_saved, 0);
    receiver.answer = accept;
    const third = startDelivery(t, receiver.url, { spoolDirectory: disk.path });
    await waitUntil(() => third.counts.exported === 2);
    await third.shutdown();
    assert.deepEqual(receiver.accepted.toSorted(), ['after', 'before']);
    assert.deepEqual(await readdir(disk.path), []);
  });

  test('that has become read-only: lost spans are counted and reported', async (t) => {
    const said = listen();
    await using disk = await mountDisk();
    await leaveSpans(disk.path, 'before');
    await using receiver = await startReceiver(() => {});
    const delivery = startDelivery(t, receiver.url, { spoolDirectory: disk.path });
    await waitUntil(() => delivery.counts.restored === 1);
    exportSpans(delivery, 'after');
    await run('mount', ['-o', 'remount,ro', disk.path]);
    await delivery.shutdown();
    // The other file still exists.
    assert.equal(delivery.counts.dropped.not_saved, 1);
    assert.equal((await readdir(disk.path)).length, 1);
    assert.match(said.join('\n'), /^1 spans are lost.*EROFS/m);
    assert.throws(() => new Spool(disk.path, unbounded), /EROFS/);
  });
});

async function mountDisk(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'span-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run('umount', [path]);
      await rmdir(path);
    },
  };
}

async function canMount(): Promise<boolean> {
  try {
    await using _disk = await mountDisk();
    return true;
  } catch {
    return false;
  }
}
