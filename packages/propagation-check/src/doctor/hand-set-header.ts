import { listBindings, toResolver } from './bindings.ts';
import type { SourceFile } from './source-file.ts';

/** A request whose caller sets the trace header itself. */
interface HandSet {
  readonly source: SourceFile;
  readonly offset: number;
  /**
   * `set`: its headers have the trace header. `forwarded`: they are all headers of the incoming request. `unsure`: an argument has it, or a
   * function that handles it makes the headers.
   */
  readonly how: 'set' | 'forwarded' | 'unsure';
}

/** Longer sources are bundles, or generated. */
const longestSource = 100_000;

const value = String.raw`(?!\s*(?:string|unknown|undefined|null)\b)`;
/** The end of a pattern: `const { traceparent, ...rest } = headers`, `({ traceparent, ...rest }) => rest`. */
const pattern = String.raw`[^{}]*\}\s*(?:=(?!=)|\)\s*=>)`;
/** `traceparent: value`, `'traceparent': value`, `{ traceparent }`. */
const field = String.raw`[{,]\s*(?:['"]?traceparent['"]?\s*:${value}|traceparent\s*(?=[,}])(?!${pattern}))`;
/** `headers.traceparent =`, `headers['traceparent'] =`, `headers.set('traceparent', …)`. */
const change = String.raw`(?:(?:\.traceparent|\[\s*['"]traceparent['"]\s*\])\s*=(?!=)${value}|\.(?:set|append)\(\s*['"]traceparent['"])`;
const sets = new RegExp(`${field}|${change}`, 'i');
const changes = new RegExp(String.raw`(?<![.\w$])([\w$]+)${change}`, 'gi');

/** Headers of the incoming request as a whole: `headers: req.headers`, `...request.headers`. */
const forwards = /(?:^|\.\.\.|new Headers\(\s*)(?:[\w$]+\.)*(?:req|request)\.headers\b(?!\s*[.[])/;

/**
 * `sends`: the function passes headers of its arguments to a request. `makes`: it returns headers with a trace header. `handles`: it sets the
 * trace header and returns something else.
 */
type Role = 'sends' | 'makes' | 'handles';

/** The functions that a source can call, by name. */
interface Names {
  readonly source: SourceFile;
  readonly roleOf: (name: string) => Role | null;
  /** Whether it sends a request that the instrumentation of undici covers. */
  readonly sends: (name: string) => boolean;
}

/**
 * The requests of `fetch` and undici to which the sources give a trace header: in the call, in a variable, or in a function that makes
 * headers. Functions that pass headers of their arguments to such a request count as requests.
 */
export function findHandSet(all: readonly SourceFile[]): readonly HandSet[] {
  const sources = all.filter(({ text }) => text.length <= longestSource);
  const roles = new Map<string, Map<SourceFile, Role | null>>();
  const read = sources.map((source) => readNames(source, roles));
  for (const names of read)
    for (const { name, parameters, body } of listFunctions(names.source)) {
      const ofName = roles.get(name) ?? new Map<SourceFile, Role | null>();
      roles.set(name, ofName.set(names.source, readRole(parameters, body, names)));
    }
  return read.flatMap(listHandSet);
}

function readNames(
  source: SourceFile,
  roles: ReadonlyMap<string, ReadonlyMap<SourceFile, Role | null>>,
): Names {
  const { imports, text } = source;
  const ofPackages = imports.filter(({ from }) => !from.startsWith('.'));
  const taken = new Set(ofPackages.flatMap(({ names }) => names.match(/[\w$]+/g) ?? []));
  const ofUndici = ofPackages
    .filter(({ from }) => from === 'undici')
    .flatMap(({ names }) => names.match(/\b(?:fetch|request|stream|pipeline)\b/g) ?? []);
  // That of node-fetch goes through `http`.
  const hidesFetch = taken.has('fetch') || /\b(?:const|let|var|function)\s+fetch\b/.test(text);
  const undici = new Set(hidesFetch ? ofUndici : ['fetch', ...ofUndici]);
  const roleOf = (name: string): Role | null => {
    const ofName = roles.get(name);
    if (ofName === undefined || taken.has(name)) return null;
    return ofName.has(source)
      ? (ofName.get(source) ?? null)
      : ([...ofName.values()].find((role) => role !== null) ?? null);
  };
  return { source, roleOf, sends: (name) => undici.has(name) || roleOf(name) === 'sends' };
}

function readRole(parameters: string, body: string, names: Names): Role | null {
  const own = new Set(parameters.match(/[\w$]+/g));
  const passesOn = ({ name, given }: Call): boolean => {
    // The first argument of `fetch` and undici is the address.
    const address = names.roleOf(name) === 'sends' ? '' : readValue(given, 1);
    const headers = readHeaders(given) ?? given.slice(1 + address.length, -1);
    return [...headers.matchAll(/(?<![.\w$])[\w$]+/g)].some(([name]) => own.has(name));
  };
  if (listCalls(body, names).some(passesOn)) return 'sends';
  if (!sets.test(body)) return null;
  if (!body.startsWith('{')) return 'makes';
  const holds = findVariables(body, names);
  const isMade = [...body.matchAll(/\breturn\s+/g)].some((match) => {
    const returned = readValue(body, match.index + match[0].length);
    return sets.test(returned) || holds(returned, match.index);
  });
  return isMade ? 'makes' : 'handles';
}

function listHandSet(names: Names): readonly HandSet[] {
  const { source } = names;
  const holds = findVariables(source.text, names);
  return listCalls(source.text, names).flatMap(({ name, offset, given }): readonly HandSet[] => {
    const headers = readHeaders(given);
    const found = (how: HandSet['how']) => [{ source, offset, how }];
    if (headers === null) return name !== 'fetch' && calls(given, 'makes', names) ? found('unsure') : [];
    if (sets.test(headers) || calls(headers, 'makes', names)) return found('set');
    if (holds(headers, offset)) return found('set');
    if (forwards.test(headers)) return found('forwarded');
    return calls(headers, 'handles', names) ? found('unsure') : [];
  });
}

/**
 * Finds the variables that hold headers with a trace header: `const headers = { traceparent }`, `headers.traceparent = …`,
 * `const headers = make(…)`.
 * @returns Whether an expression at an offset is such a variable, or contains its fields.
 */
function findVariables(text: string, names: Names): (expression: string, at: number) => boolean {
  const assigned = [...text.matchAll(assignment)].flatMap(({ 0: whole, 1: name, index }) => {
    const start = index + whole.length;
    const line = text.slice(start, text.indexOf('\n', start) + 1 || undefined);
    const made = line.startsWith('{') ? readBalanced(text, start) : line;
    return name !== undefined && (sets.test(made) || calls(made, 'makes', names)) ? [{ name, index }] : [];
  });
  const changed = [...text.matchAll(changes)].flatMap(({ 1: name, index }) =>
    name === undefined ? [] : [{ name, index }],
  );
  if (assigned.length + changed.length === 0) return () => false;
  const resolve = toResolver(listBindings(text));
  const keyOf = (name: string, at: number): string => `${name} ${resolve(name, at)?.from}`;
  const since = new Map<string, number>();
  for (const { name, index } of [...assigned, ...changed]) {
    const key = keyOf(name, index);
    since.set(key, Math.min(index, since.get(key) ?? index));
  }
  return (expression, at) =>
    [...expression.matchAll(/(?:^|\.\.\.)([\w$]+)\b(?!\s*[.([])/g)].some(
      ([, name = '']) => (since.get(keyOf(name, at)) ?? Infinity) < at,
    );
}

const assignment = /\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=;]{1,200})?=\s*(?=[{]|new\s+Headers|[\w$.]+\()/g;

/** Whether a text calls a function of this role. */
function calls(text: string, role: Role, { roleOf }: Names): boolean {
  return [...text.matchAll(/(?<![\w$])([\w$]+)\s*\(/g)].some(([, name = '']) => roleOf(name) === role);
}

/** The value of `headers` among the arguments: `headers: value`, `{ headers }`; null where none are given. */
function readHeaders(given: string): string | null {
  const match = /\bheaders\s*:\s*/.exec(given);
  if (match === null) return /[{,]\s*headers\s*[,}]/.test(given) ? 'headers' : null;
  return readValue(given, match.index + match[0].length);
}

/** The text to the next comma or closing bracket, except for those in brackets. */
function readValue(text: string, start: number): string {
  let at = start;
  while (at < text.length && !/[,)}\]]/.test(text.charAt(at)))
    at += Math.max(1, readBalanced(text, at).length);
  return text.slice(start, at);
}

interface Call {
  readonly name: string;
  readonly offset: number;
  /** The text of the arguments, in their brackets. */
  readonly given: string;
}

/** The requests in a text. */
function listCalls(text: string, { sends }: Names): readonly Call[] {
  return [...text.matchAll(/(?<![\w.$'"`-])(?<!function\s+)(?:globalThis\.)?([\w$]+)\s*(?=\()/g)].flatMap(
    ({ 0: whole, 1: name = '', index }) =>
      sends(name) ? [{ name, offset: index, given: readBalanced(text, index + whole.length) }] : [],
  );
}

/** A function with a name, and the texts of its parameters and its body. */
interface Declared {
  readonly name: string;
  readonly parameters: string;
  readonly body: string;
}

const declaration =
  /(?:\bfunction\s+([\w$]+)\s*|\b(?:const|let)\s+([\w$]+)\s*=\s*(?:async\s*)?(?:function\s*)?)(?=\()/g;

function listFunctions({ text }: SourceFile): readonly Declared[] {
  return [...text.matchAll(declaration)].flatMap((match) => {
    const start = match.index + match[0].length;
    const parameters = readBalanced(text, start);
    if (parameters === '') return [];
    const after = text.slice(start + parameters.length, start + parameters.length + longest);
    const head = /^[^={;]*(?:=>\s*)?/.exec(after)?.[0] ?? '';
    const body = readBalanced(after, head.length);
    const name = match[1] ?? match[2];
    return name === undefined || body === '' ? [] : [{ name, parameters, body }];
  });
}

/** Longer and deeper functions and calls are not read, so that the time stays linear. */
const longest = 2_000;
const deepest = 30;

const brackets = /[()[\]{}]/g;

/** The text from an opening bracket to its closing one; empty where none opens, or the text is too long. Brackets in strings count too. */
function readBalanced(text: string, start: number): string {
  if (!/[({[]/.test(text.charAt(start))) return '';
  let depth = 0;
  for (const { 0: bracket, index } of text.slice(start, start + longest).matchAll(brackets)) {
    depth += /[({[]/.test(bracket) ? 1 : -1;
    if (depth > deepest) return '';
    if (depth === 0) return text.slice(start, start + index + 1);
  }
  return '';
}
