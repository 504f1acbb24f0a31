import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { type FactSource, readText } from './fact-source.ts';

/**
 * The forms in which Lambda takes a function: its name, the end of its ARN, or its ARN, each with a version or an alias. Source: AWS Lambda,
 * API reference, "Invoke". A version is no part of the place, as an alias runs one or two of them.
 */
const functionName =
  /^(?:(?:arn:[^:]*:lambda:(?<region>[^:]*):)?(?<account>[^:]*):function:)?(?<name>[^:]+)(?::(?:\$LATEST|\d+|(?<alias>[^:]+)))?$/;

/** The function that a CLIENT span invokes. Source: semantic conventions, FaaS spans, "Outgoing invocations". */
export function readInvokedFunction(call: FactSource): string | null {
  const name = call.kind === 'CLIENT' ? readText(call, 'faas.invoked_name') : null;
  return name === null ? null : (functionName.exec(name)?.groups?.name ?? name);
}

/** Functions of one name may run in several places. A part is null where the data do not name it. */
interface FunctionPlace {
  readonly region: string | null;
  readonly account: string | null;
  readonly alias: string | null;
}

/** The place of the function that a CLIENT span invokes. */
export function readInvokedPlace(call: Span): FunctionPlace {
  const place = parsePlace(readText(call, 'faas.invoked_name'));
  return { ...place, region: place.region ?? readText(call, 'faas.invoked_region') };
}

/** The place of the function that a SERVER span is of. Sources: semantic conventions, "AWS Lambda" and "Cloud". */
export function readOwnPlace(request: Span): FunctionPlace {
  const ofResource = (name: string): string | null => {
    const value = request.resource.get(name);
    return typeof value === 'string' ? value : null;
  };
  const id = readText(request, 'aws.lambda.invoked_arn', 'cloud.resource_id', 'faas.id');
  const place = parsePlace(id ?? ofResource('cloud.resource_id') ?? ofResource('faas.id'));
  return {
    region: place.region ?? ofResource('cloud.region'),
    account: place.account ?? ofResource('cloud.account.id'),
    alias: place.alias,
  };
}

export function mayBeOnePlace(one: FunctionPlace, other: FunctionPlace): boolean {
  return (['region', 'account', 'alias'] as const).every(
    (part) => one[part] === null || other[part] === null || one[part] === other[part],
  );
}

function parsePlace(text: string | null): FunctionPlace {
  const { region = null, account = null, alias = null } = functionName.exec(text ?? '')?.groups ?? {};
  return { region, account, alias };
}

/**
 * Triggers that show that no program invoked the function by its name. Source: semantic conventions, FaaS spans, "faas.trigger". `datasource`
 * is not one: awssdk-instrumentation for Rust records it for every request unless it is told otherwise.
 */
const otherTriggers: ReadonlySet<string | null> = new Set(['http', 'pubsub', 'timer']);

/** Whether a program may have invoked the function by its name for this SERVER span. */
export function mayBeInvoked(request: FactSource): boolean {
  return request.kind === 'SERVER' && !otherTriggers.has(readText(request, 'faas.trigger'));
}

/** A workflow or activity of Temporal in the span that starts it or in the span that runs it. */
export interface TemporalSpan {
  readonly isRun: boolean;
  /** Whether it starts no workflow if one with this id runs. */
  readonly maySignal: boolean;
  /** Equal on both sides. */
  readonly key: string;
}

/** Sources: the tracing interceptors of Temporal's SDKs for Go, Java, Python and TypeScript. */
const temporalName = /^(Start|SignalWithStart|Run)(Workflow|Activity):(.+)$/;

export function isOfTemporal({ name }: Pick<FactSource, 'name'>): boolean {
  return temporalName.test(name);
}

/** The ids are of Go and Python, of Java, and of TypeScript. */
export function readTemporal(span: FactSource): TemporalSpan | null {
  const id = readText(span, 'temporalWorkflowID', 'workflowId', 'run_id');
  const [, verb, what, type] = id === null ? [] : (temporalName.exec(span.name) ?? []);
  return what === undefined || type === undefined
    ? null
    : { isRun: verb === 'Run', maySignal: verb === 'SignalWithStart', key: keyFor(what, type, id) };
}
