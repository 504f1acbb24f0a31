import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKept, keepAttributes } from '../../src/span/kept-attributes.ts';

const source = join(import.meta.dirname, '../../src');

function readSources(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: source }).map((file) => readFileSync(join(source, file), 'utf8'));
}

/** The string arguments of calls to the readers of attributes. */
function readNamesInCalls(text: string): readonly string[] {
  const calls = text.matchAll(
    /\b(?:readText|readNumber|(?<!resource\??\.)attributes\.(?:get|has))\s*\((?<list>(?:[^()]|\([^()]*\))*)\)/g,
  );
  return [...calls].flatMap(({ groups }) =>
    [...(groups?.list ?? '').matchAll(/'(?<name>[a-z][\w.-]*)'/g)].map((name) => name.groups?.name ?? ''),
  );
}

test('every attribute that the source passes to a reader is kept', () => {
  const names = readSources('{calls,cli,graph,headers,pairing,report,rules,span,verdict}/**/*.ts').flatMap(
    readNamesInCalls,
  );
  assert.ok(
    names.includes('http.route') && names.includes('peer.service'),
    'the readers have other names now',
  );
  assert.deepEqual(
    names.filter((name) => !isKept(name)),
    [],
  );
});

/** Names with dots in the engine that belong to resources, spans, ASGI events and files. */
const others: readonly RegExp[] = [
  /^(?:service\.(?:name|namespace|instance\.id|version)|deployment\.environment(?:\.name)?|telemetry\.(?:sdk\.language|distro\.name)|k8s\.(?:pod\.(?:uid|name)|node\.name)|container\.id|cloud\.(?:platform|provider|region|account\.id)|host\.(?:id|name)|faas\.name|otel\.scope\.name)$/,
  /^(?:dns\.lookup|tcp\.connect)$/,
  /^http\.response\.(?:start|body)$/,
  /\.ts$/,
];

test('every attribute name in a table of the engine is kept', () => {
  const names = readSources('{calls,graph,pairing,rules,verdict}/**/*.ts').flatMap((text) =>
    [...text.matchAll(/'(?<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)'/g)].map(
      ({ groups }) => groups?.name ?? '',
    ),
  );
  assert.ok(names.includes('messaging.system'));
  assert.deepEqual(
    names.filter((name) => !isKept(name) && !others.some((pattern) => pattern.test(name))),
    [],
  );
});

test('attributes of kept families are kept, and values of presence-only attributes are not', () => {
  const given = new Map([
    ['baggage.hello', 'world'],
    ['http.request.header.traceparent', '00-1'],
    ['db.statement', 'select'],
    ['other', 'text'],
  ]);
  assert.deepEqual(
    keepAttributes(given),
    new Map([
      ['baggage.hello', 'world'],
      ['http.request.header.traceparent', '00-1'],
      ['db.statement', ''],
    ]),
  );
});
