import type { SourceFile } from './source-file.ts';

/** A request whose caller sets the trace header itself. */
interface HandSet {
  readonly source: SourceFile;
  readonly offset: number;
  /** `set`: its headers have the trace header. `forwarded`: they are all headers of the incoming request. `unsure`: an argument has it. */
  readonly how: 'set' | 'forwarded' | 'unsure';
}

/** Longer sources are bundles, or generated. */
const longestSource = 100_000;

/** A function of the program, with the text of its parameters and body. */
interface Declared {
  readonly name: string;
  readonly text: string;
}

/** `traceparent: value`, `'traceparent': value`, `{ traceparent }`, `headers.traceparent =`, `headers['traceparent'] =`, `headers.set('traceparent', …)`. */
const sets =
  /(?<![.\w$-])['"]?traceparent['"]?\s*:(?!\s*(?:string|unknown|undefined)\b)|[{,]\s*traceparent\s*[,}]|(?:\.traceparent|\[\s*['"]traceparent['"]\s*\])\s*=(?!=)|\.(?:set|append)\(\s*['"]traceparent['"]/i;

/** Headers of the incoming request as a whole: `headers: req.headers`, `...request.headers`. */
const forwards = /(?:^|\.\.\.|new Headers\(\s*)(?:[\w$]+\.)*(?:req|request)\.headers\b(?!\s*[.[])/;

/**
 * The requests of `fetch` and undici to which the sources give a trace header: in the call, in a variable, or in a function that makes
 * headers. Functions that pass their arguments to such a request count as requests.
 */
export function findHandSet(all: readonly SourceFile[]): readonly HandSet[] {
  const sources = all.filter(({ text }) => text.length <= longestSource);
  const declared = sources.flatMap((source) => listFunctions(source).map((each) => ({ ...each, source })));
  const senders = new Set(sources.flatMap(listUndici));
  for (const { name, text, source } of declared)
    if (listCalls(text, senders, source).length > 0) senders.add(name);
  const makers = new Set(
    declared.filter(({ name, text }) => !senders.has(name) && sets.test(text)).map(({ name }) => name),
  );
  return sources.flatMap((source) => {
    const variables = listVariables(source.text, makers);
    const isSet = (headers: string): boolean =>
      sets.test(headers) || callsAny(headers, makers) || variables.some((name) => passes(headers, name));
    return listCalls(source.text, senders, source).flatMap(({ name, offset, given }): readonly HandSet[] => {
      const headers = readHeaders(given);
      if (headers === null)
        return name !== 'fetch' && callsAny(given, makers) ? [{ source, offset, how: 'unsure' }] : [];
      if (isSet(headers)) return [{ source, offset, how: 'set' }];
      return forwards.test(headers) ? [{ source, offset, how: 'forwarded' }] : [];
    });
  });
}

/** The global `fetch`, and the functions of undici that a source imports by name. */
function listUndici({ imports }: SourceFile): readonly string[] {
  const named = imports
    .filter(({ from }) => from === 'undici')
    .flatMap(({ names }) => names.match(/\b(?:fetch|request|stream|pipeline)\b/g) ?? []);
  return ['fetch', ...named];
}

/** Whether a package other than undici, or the program, replaces the global `fetch`: that of node-fetch goes through `http`. */
function replacesFetch({ imports, text }: SourceFile): boolean {
  return (
    imports.some(({ from, names }) => from !== 'undici' && /\bfetch\b/.test(names)) ||
    /\b(?:const|let|var|function)\s+fetch\b/.test(text)
  );
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
    return name === undefined || body === '' ? [] : [{ name, text: body }];
  });
}

/** Variables that hold headers with a trace header: `const headers = { traceparent }`, `headers.traceparent = …`, `const headers = make(…)`. */
function listVariables(text: string, makers: ReadonlySet<string>): readonly string[] {
  const assigned = [
    ...text.matchAll(/\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=;]+)?=\s*(?=[{]|new\s+Headers|[\w$.]+\()/g),
  ].flatMap((match) => {
    const start = match.index + match[0].length;
    const value = text.slice(start, text.indexOf('\n', start) + 1 || undefined);
    const whole = value.startsWith('{') ? readBalanced(text, start) : value;
    return match[1] !== undefined && (sets.test(whole) || callsAny(whole, makers)) ? [match[1]] : [];
  });
  const changed = [
    ...text.matchAll(
      /(?<![.\w$])([\w$]+)(?:(?:\.traceparent|\[\s*['"]traceparent['"]\s*\])\s*=(?!=)|\.(?:set|append)\(\s*['"]traceparent['"])/gi,
    ),
  ].flatMap(([, name]) => name ?? []);
  return [...assigned, ...changed];
}

function callsAny(text: string, names: ReadonlySet<string>): boolean {
  return [...text.matchAll(/(?<![\w$])([\w$]+)\s*\(/g)].some(([, name = '']) => names.has(name));
}

/** Whether the headers are the variable, or contain its fields. */
function passes(headers: string, name: string): boolean {
  return new RegExp(`(?:^|\\.\\.\\.)${name.replaceAll('$', '\\$')}\\b(?!\\s*[.(\\[])`).test(headers);
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
  /** The text of the arguments. */
  readonly given: string;
}

function listCalls(text: string, names: ReadonlySet<string>, source: SourceFile): readonly Call[] {
  const isOther = replacesFetch(source);
  return [...text.matchAll(/(?<![\w.$'"`-])(?<!function\s+)(?:globalThis\.)?([\w$]+)\s*(?=\()/g)].flatMap(
    (match) => {
      const [whole, name = ''] = match;
      if (!names.has(name) || (name === 'fetch' && isOther)) return [];
      return [{ name, offset: match.index, given: readBalanced(text, match.index + whole.length) }];
    },
  );
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
