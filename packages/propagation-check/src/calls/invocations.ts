import { keyFor } from '../util/group-by.ts';
import { type FactSource, readText } from './fact-source.ts';

/** The function that a CLIENT span invokes. Source: semantic conventions, FaaS spans, "Outgoing invocations". */
export function readInvokedFunction(call: FactSource): string | null {
  const name = call.kind === 'CLIENT' ? readText(call, 'faas.invoked_name') : null;
  return name === null ? null : (/:function:([^:]+)/.exec(name)?.[1] ?? name);
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

export function isOfTemporal(span: FactSource): boolean {
  return temporalName.test(span.name);
}

/** The ids are of Go and Python, of Java, and of TypeScript. */
export function readTemporal(span: FactSource): TemporalSpan | null {
  const id = readText(span, 'temporalWorkflowID', 'workflowId', 'run_id');
  const [, verb, what, type] = id === null ? [] : (temporalName.exec(span.name) ?? []);
  return what === undefined || type === undefined
    ? null
    : { isRun: verb === 'Run', maySignal: verb === 'SignalWithStart', key: keyFor(what, type, id) };
}
