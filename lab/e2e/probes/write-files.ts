/** Writes files (first argument, JSON: content by name) to the volume at /volume, owned by the user id in the second argument. */
import { chownSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const files: Readonly<Record<string, string>> = JSON.parse(process.argv[1] ?? '{}');
const uid = Number(process.argv[2]);

for (const [name, content] of Object.entries(files)) {
  const path = join('/volume', name);
  const draft = `${path}.draft`;
  writeFileSync(draft, content, { mode: 0o400 });
  chownSync(draft, uid, uid);
  renameSync(draft, path);
}
