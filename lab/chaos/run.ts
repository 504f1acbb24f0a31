import { SourceError } from 'propagation-check';
import { CommandError } from '../run-command.ts';
import { type Account, isClean } from './account.ts';
import { type CounterTotals, isQuiet } from './counters.ts';
import { NoFaultError } from './fault.ts';
import { LedgerError } from './ledger.ts';
import type { PeakMemory } from './memory.ts';
import { RecoveryError } from './stack.ts';

export type Run = RunDone | RunFailed;

export interface RunDone {
  readonly fault: string;
  /** See `Fault`. */
  readonly reachesBound: boolean;
  readonly account: Account;
  /** Seconds from the end of the fault or the traffic, whichever is later, until the last span arrived. */
  readonly drainSeconds: number;
  readonly said: CounterTotals;
  readonly peakMemory: PeakMemory;
  /** Containers that exited, restarted or ran out of memory without being told to. */
  readonly accidents: readonly string[];
}

/** A run without an account. */
export interface RunFailed {
  readonly fault: string;
  readonly reason: string;
  /**
   * False when the stack did not recover from the fault or Jaeger cannot be read: its spans then count as lost. True when the run could not be
   * made or the fault had no effect: the run then proves nothing.
   */
  readonly isRecovered: boolean;
}

/**
 * Whether a run is good: lost = dropped by the stack's counters, and spans are lost only where a bound is reached. No span is duplicated or
 * wrong, all queues are empty, and there was no accident. The equation also fails when the stack counts a drop of spans that are in Jaeger.
 */
export function isGood(run: Run): boolean {
  if (!('account' in run) || run.accidents.length > 0) return false;
  const { account, reachesBound, said } = run;
  if (!isQuiet(said) || account.lost.length !== said.dropped) return false;
  return reachesBound ? said.dropped > 0 && isClean({ ...account, lost: [] }) : isClean(account);
}

/** @throws Errors of this program, as opposed to failures of the run. */
export function toFailure(fault: string, error: unknown): RunFailed {
  if (error instanceof RecoveryError || error instanceof SourceError)
    return { fault, reason: error.message, isRecovered: false };
  if (error instanceof CommandError || error instanceof NoFaultError || error instanceof LedgerError)
    return { fault, reason: error.message, isRecovered: true };
  throw error;
}
