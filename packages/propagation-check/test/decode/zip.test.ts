import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { DecodeError } from '../../src/decode/decode-error.ts';
import { decodeBytes, decodeCompressed } from '../../src/decode/detect-format.ts';
import { otlpRequest, otlpSpan } from './fixture.ts';
import { zip } from './write-formats.ts';

const request = JSON.stringify(otlpRequest(otlpSpan()));
const limit = 1_000_000;

function refuses(bytes: Uint8Array, message: RegExp | string, maxBytes = limit) {
  return assert.rejects(decodeCompressed(bytes, maxBytes), { name: 'DecodeError', message });
}

/** Changes two bytes in the directory's first entry. */
function withDirectoryField(bytes: Buffer, offset: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt16LE(value, changed.indexOf('PK\x01\x02', 0, 'latin1') + offset);
  return changed;
}

test('all files of an archive are read except folders, empty files and files that macOS adds', async () => {
  const bytes = zip(
    ['a/', '', 'stored'],
    ['a/1.json', request],
    ['2.json', request, 'stored'],
    ['e', ''],
    ['__MACOSX/._1.json', '\0\x05'],
    ['.DS_Store', '\0'],
  );
  const { spans, format, notes } = await decodeCompressed(bytes, limit);
  assert.deepEqual([spans.length, format, notes], [2, 'otlp-json', undefined]);
});

test('an archive with a comment after its end is read', async () => {
  const bytes = zip(['1.json', request]);
  const comment = Buffer.from('a comment');
  bytes.writeUInt16LE(comment.length, bytes.length - 2);
  assert.equal((await decodeCompressed(Buffer.concat([bytes, comment]), limit)).spans.length, 1);
});

test('files of no known format are named', async () => {
  const { notes } = await decodeCompressed(zip(['1.json', request], ['web.log', 'listening\n']), limit);
  assert.deepEqual(notes, ['no format is recognised in these files of the archive: "web.log"']);
  await refuses(zip(['web.log', 'listening\n']), 'zip: no file in it is of a known format');
});

test('a faulty file of a known format is an error with its name', async () => {
  await refuses(
    zip(['1.json', request], ['2.json', request.slice(0, 50)]),
    /^zip, "2\.json": byte 50: the JSON ends early/,
  );
  await refuses(zip(['1.json.gz', gzipSync(request)]), /^zip, "1\.json\.gz": byte 0: compressed twice/);
  await refuses(
    zip(['in.zip', zip(['1.json', request])]),
    /^zip, "in\.zip": byte 0: a zip archive within an archive/,
  );
});

test('sizes that an archive states are not trusted', async () => {
  const bomb = zip(['a', Buffer.alloc(5_000_000)]);
  await refuses(bomb, 'zip, "a": uncompressed data is larger than 1000000 bytes');
  await refuses(
    zip(...Array.from({ length: 5 }, (_, at) => [`${at}.json`, `${request}${' '.repeat(300_000)}`] as const)),
    /^zip, "3\.json": uncompressed data is larger/,
  );
  await refuses(zip(['a', Buffer.alloc(2_000_000), 'stored']), /^zip, "a": uncompressed data is larger/);
  await refuses(
    withDirectoryField(zip(['a', request]), 24, 5),
    'zip, "a": damaged; copy or fetch it again once it is written whole',
  );
});

test('archives that cannot be read say why', async () => {
  const bytes = zip(['a', request]);
  await refuses(withDirectoryField(bytes, 8, 1), /^zip, "a": encrypted/);
  await refuses(withDirectoryField(bytes, 10, 14), /^zip, "a": compressed with method 14/);
  await refuses(
    withDirectoryField(bytes, 16, 0),
    'zip, "a": damaged; copy or fetch it again once it is written whole',
  );
  await refuses(withDirectoryField(bytes, 20, 0xffff), /^zip, "a": reaches beyond the end/);
  await refuses(
    bytes.subarray(0, -10),
    'zip: has no directory, as if it was cut off; copy or fetch it again once it is written whole',
  );
  const many = Buffer.from(bytes);
  many.writeUInt16LE(0xffff, many.length - 12);
  await refuses(many, /zip64/);
  many.writeUInt16LE(20_000, many.length - 12);
  await refuses(many, /holds 20000 files, more than 10000/);
  many.writeUInt16LE(2, many.length - 12);
  await refuses(many, /^byte \d+: damaged zip archive/);
  await refuses(Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1'), /^byte 0: an empty zip archive/);
  assert.throws(() => decodeBytes(bytes), { message: /^byte 0: a zip archive within an archive/ });
});

test('a damaged archive gives spans or a DecodeError', async () => {
  const packed = zip(['a.json', request], ['b/c.json', request, 'stored']);
  const change = fc.tuple(fc.nat(packed.length - 1), fc.integer({ min: 0, max: 255 }));
  const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
    const damaged = Buffer.from(packed);
    for (const [at, value] of changes) damaged[at] = value;
    const result = await decodeCompressed(damaged, limit).catch((error: unknown) => error);
    assert.ok(
      result instanceof DecodeError || (result instanceof Object && 'spans' in result),
      String(result),
    );
  });
  await fc.assert(property, { seed: 20261128, numRuns: 1_000 });
});
