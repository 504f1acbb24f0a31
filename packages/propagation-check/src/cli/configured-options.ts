import { isAbsolute, relative, resolve } from 'node:path';
import { toExpectation } from '../expect/read-expectation.ts';
import { expectationShape } from '../expect/read-expectation-shape.ts';
import { parseSourceSpec } from '../source/parse-source-spec.ts';
import { allSpecs } from '../source/source-specs.ts';
import {
  parseCaFile,
  parseCount,
  parseDuration,
  parseHttpUrls,
  parseMethod,
  parseMetricsUrl,
  parseRequestHeader,
  parseServices,
  parseShare,
  parseTimeout,
} from './parse-argument.ts';
import { parseReport } from './parse-report.ts';

/** A setting of the configuration file, converted to the option value that the command line would give. */
export interface ConfiguredOption {
  /** The attribute name that commander gives the option. */
  readonly attribute: string;
  readonly value: unknown;
}

type Read = (value: unknown, folder: string) => ConfiguredOption;

/** By key of the setting. Each throws the errors of the option's parser. */
export const configuredOptions: Readonly<Record<string, Read>> = {
  source: (value, folder) => option('source', readSource(String(value), folder)),
  expectations: (value, folder) => {
    if (typeof value === 'string') return option('expectations', locate(value, folder));
    return option('expectation', toExpectation(expectationShape.parse(value)));
  },
  'tolerated-peers': (value) => option('toleratedPeers', toTexts(value)),
  reports: (value, folder) => option('report', readAll(listReports(value, folder), parseReport)),
  baseline: (value, folder) => option('baseline', locate(String(value), folder)),
  'allow-failed-requests': (value) => option('allowFailedRequests', value),
  'fail-on': (value) => option('failOn', value),
  wire: (value, folder) =>
    option(
      'wire',
      toTexts(value).map((path) => locate(path, folder)),
    ),
  'collector-metrics': (value) => option('collectorMetrics', parseMetricsUrl(String(value))),
  ca: (value, folder) => option('ca', parseCaFile(locate(String(value), folder))),
  timeout: (value) => option('timeout', parseTimeout(String(value))),
  wait: (value) => option('wait', parseTimeout(String(value))),
  settle: (value) => option('settle', parseTimeout(String(value))),
  'run.url': (value) => option('url', readAll(toTexts(value), parseHttpUrls)),
  'run.method': (value) => option('method', parseMethod(String(value))),
  'run.request-header': (value) => option('requestHeader', readAll(toTexts(value), parseRequestHeader)),
  'run.data': (value) => option('data', value),
  'run.requests': (value) => option('requests', parseCount(String(value))),
  'run.concurrency': (value) => option('concurrency', parseCount(String(value))),
  'run.service': (value) => option('service', readAll(toTexts(value), parseServices)),
  'audit.since': (value) => option('since', parseDuration(String(value))),
  'audit.every': (value) => option('every', parseTimeout(String(value))),
  'audit.fail-under': (value) => option('failUnder', parseShare(String(value))),
  'audit.state': (value, folder) => option('state', locate(String(value), folder)),
  'audit.limit': (value) => option('limit', parseCount(String(value))),
};

function option(attribute: string, value: unknown): ConfiguredOption {
  return { attribute, value };
}

function toTexts(value: unknown): readonly string[] {
  return [value].flat().map(String);
}

/** Parses a list of texts as commander parses a repeated option. */
function readAll<Value>(
  texts: readonly string[],
  parse: (text: string, before?: Value) => Value,
): Value | undefined {
  return texts.reduce<Value | undefined>((before, text) => parse(text, before), undefined);
}

function listReports(value: unknown, folder: string): readonly string[] {
  return Object.entries(Object(value)).map(([name, target]) =>
    target === true ? name : `${name}=${locate(String(target), folder)}`,
  );
}

function readSource(spec: string, folder: string): string {
  const source = parseSourceSpec(spec, allSpecs);
  return source.kind === 'file' && source.path !== '-' ? `file=${locate(source.path, folder)}` : spec;
}

/** Resolves a path relative to the folder of the configuration file. */
function locate(path: string, folder: string): string {
  return isAbsolute(path) ? path : relative('', resolve(folder, path)) || '.';
}
