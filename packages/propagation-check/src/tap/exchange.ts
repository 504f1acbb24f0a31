import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import type { AnsweredContext, HeaderField, WireContext, WireRecord } from '../headers/evidence.ts';
import { pathOf } from '../headers/path-of.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readWireContext } from '../headers/read-wire-context.ts';
import { joinAddress } from '../headers/socket-address.ts';
import { applyFaults, describeFault, drawFault, type Fault, type FaultedRequest } from './fault.ts';
import { openMcpBody, recordMessage } from './mcp-messages.ts';

/** The settings that all requests of a tap share. */
export interface TapSetup {
  readonly tap: string;
  readonly target: URL;
  readonly client: string | null;
  readonly server: string | null;
  readonly faults: readonly Fault[];
  /** The share of requests that get the faults, from 0 to 1. */
  readonly faultRate: number;
  readonly faultSeed: number;
  /** How long the target may take to begin its answer, in milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  /** The limit of the header section of a request and of an answer, in bytes. */
  readonly maxHeaderSize: number;
  /** Called once for each exchange, with its record and a record of each JSON-RPC message in it. */
  readonly onRecords: (records: readonly WireRecord[]) => void;
}

export interface RequestHead {
  readonly protocolVersion: WireRecord['protocolVersion'];
  readonly method: string;
  /** The tap's own address on the connection from the caller. */
  readonly calledAt: string | null;
  /** The request target as it came: origin form, absolute form or `*`. */
  readonly requestTarget: string;
  /** All headers of the caller, for the record. */
  readonly fields: readonly HeaderField[];
  /** The headers to forward to the target, before faults. */
  readonly forwardable: readonly HeaderField[];
}

/** One request that passes through the tap: what to forward, and the observations that become its record. */
export interface Exchange {
  readonly fields: readonly HeaderField[];
  /** How long to delay the request, in milliseconds. */
  readonly delayMs: number;
  /** The request was sent on a connection to the target. */
  noteForwarded(connection: Socket | undefined): void;
  /** The head of the target's answer has arrived. */
  noteAnswer(status: number, fields: readonly HeaderField[]): void;
  /** Takes a copy of each chunk of the request body; null where the body is not needed. */
  readonly noteBody: ((chunk: Buffer) => void) | null;
  noteTargetError(error: Error): void;
  /** The caller aborted. Ignored after a target error, because then the tap closes the connection. */
  noteClientAborted(): void;
  /** Passes the records to `onRecords`, once; later calls do nothing. */
  finish(): void;
}

/** Numbers the requests, so that the faults of a request depend only on the seed and its number. */
export function createExchanges(setup: TapSetup): (head: RequestHead) => Exchange {
  let requests = 0;
  return (head) => {
    requests += 1;
    return beginExchange(setup, head, requests);
  };
}

function beginExchange(setup: TapSetup, head: RequestHead, requestNumber: number): Exchange {
  const time = new Date();
  const start = performance.now();
  const { fields, applied: faults } = injectFaults(setup, head.forwardable, requestNumber);

  const body = openMcpBody(head.method, head.fields);
  let received: WireContext | null = null;
  let callsFrom: string | null = null;
  let status: number | null = null;
  let answered: AnsweredContext | null = null;
  let targetError: string | null = null;
  let clientAborted = false;
  let finished = false;

  return {
    fields,
    delayMs: faults.reduce((sum, fault) => sum + (fault.name === 'delay' ? fault.ms : 0), 0),
    noteForwarded(connection) {
      received = readWireContext(fields);
      callsFrom = readLocalAddress(connection);
    },
    noteAnswer(code, answer) {
      status = code;
      answered = readAnsweredContext(answer);
      // Usually the body is complete by now, and its copy can be released.
      body?.readMessages();
    },
    noteBody: body && ((chunk) => body.take(chunk)),
    noteTargetError(error) {
      targetError ??= error.message === '' ? error.name : error.message;
    },
    noteClientAborted() {
      clientAborted = targetError === null;
    },
    finish() {
      if (finished) return;
      finished = true;
      const record: WireRecord = {
        time: time.toISOString(),
        durationMs: Math.round((performance.now() - start) * 1000) / 1000,
        ...describePlace(setup),
        calledAt: head.calledAt,
        callsFrom,
        protocolVersion: head.protocolVersion,
        method: head.method,
        path: pathOf(head.requestTarget),
        sent: readWireContext(head.fields),
        received,
        faults: faults.map(describeFault),
        status,
        answered,
        clientAborted,
        targetError,
      };
      const messages = body?.readMessages() ?? [];
      setup.onRecords([record, ...messages.map((message) => recordMessage(record, message))]);
    },
  };
}

function describePlace({
  tap,
  target,
  client,
  server,
}: TapSetup): Pick<WireRecord, 'tap' | 'target' | 'client' | 'server' | 'host'> {
  return { tap, target: target.origin, client, server, host: hostname() };
}

/** `127.0.0.1:8083`, `[::1]:8083`; null where the connection is closed. */
export function readLocalAddress(connection: Socket | undefined): string | null {
  const { localAddress, localPort } = connection ?? {};
  return localAddress === undefined || localPort === undefined ? null : joinAddress(localAddress, localPort);
}

function injectFaults(
  setup: TapSetup,
  fields: readonly HeaderField[],
  requestNumber: number,
): FaultedRequest {
  if (setup.faults.length === 0) return { fields, applied: [] };
  const { chance, spanId } = drawFault(setup.faultSeed, requestNumber);
  return applyFaults(fields, chance < setup.faultRate ? setup.faults : [], spanId);
}
