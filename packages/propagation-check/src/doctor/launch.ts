import type { NodeUnit } from './node-unit.ts';
import { findOwner, isBelow } from './node-unit.ts';
import type { Place } from './place.ts';
import type { Project } from './project.ts';

/** A command that starts Node.js in production. */
interface Launch {
  readonly place: Place;
  readonly text: string;
}

const startScripts = /^(?:start(?::(?:prod|production))?|serve(?::prod)?)$/;
const runsNode = /(?:^|[\s/;&|"'])(?:node|tsx|ts-node|nodemon|dumb-init|tini|pm2(?:-runtime)?|nest)\s/;

/** The commands that start a package: its start scripts, and the containers that are built from its folder. */
export function listLaunches({ environments, units }: Project, unit: NodeUnit): readonly Launch[] {
  const scripts = [...unit.scripts].flatMap(([name, { value, place }]) =>
    startScripts.test(name) && runsNode.test(value) ? [{ place, text: value }] : [],
  );
  const containers = environments.flatMap(({ folder, command }) => {
    const isOwn =
      folder !== null && findOwner(folder, units)?.path === unit.path && isBelow(folder, unit.folder);
    return isOwn && command !== null && runsNode.test(command.value)
      ? [{ place: command.place, text: command.value }]
      : [];
  });
  return [...scripts, ...containers];
}

/** Options of Node.js that take their value as the next word. */
const valued = /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file)$/;

/** The file that a command starts, without folder and extension: `dist/main.js` is built from some `main.ts`. */
export function readEntry(launch: Launch, unit: NodeUnit): string | null {
  return /([^/]+?)(?:\.[cm]?[jt]s)?\/?$/.exec(readEntryPath(launch, unit) ?? '')?.[1] ?? null;
}

/** Whether a command starts CommonJS although the package may have ES modules as sources: a bundle, which requires what they import. */
export function startsCommonJs(launch: Launch, unit: NodeUnit): boolean {
  return readEntryPath(launch, unit)?.endsWith('.cjs') === true;
}

function readEntryPath({ text }: Launch, unit: NodeUnit): string | null {
  if (/\bnest\s+start\b/.test(text)) return 'main';
  const words = text.split(/\s+/);
  const from = words.findIndex((word) => /(?:^|\/)(?:node|tsx|ts-node|nodemon|pm2|pm2-runtime)$/.test(word));
  const file = words
    .slice(from + 1)
    .find(
      (word, index, all) =>
        !word.startsWith('-') && !/^(?:start|watch)$/.test(word) && !valued.test(all[index - 1] ?? ''),
    );
  if (from < 0 || file === undefined) return null;
  return /^\.?\/?$/.test(file) ? (unit.main ?? 'index.js') : file;
}
