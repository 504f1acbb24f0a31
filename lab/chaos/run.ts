import { SourceError } from 'propagation-check';
import { CommandError } from '../run-command.ts';
import { type Account, isClean } from './account.ts';
import { isQuiet, type Said } from './counters.ts';
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
  /** From the end of fault and traffic, whichever was later, until the last span was there. */
  readonly drainSeconds: number;
  readonly said: Said;
  readonly peakMemory: PeakMemory;
  /** Containers that ended, were restarted or ran out of memory by themselves. */
  readonly accidents: readonly string[];
}

/** There is no account of it. */
export interface RunFailed {
  readonly fault: string;
  readonly reason: string;
  /**
   * False when the stack did not come back from the fault, or Jaeger cannot be read: what ended in it is as good as lost. True
   * when the run could not be made, or the fault was not felt: it proves nothing.
   */
  readonly isRecovered: boolean;
}

/**
 * Nothing is lost but what the stack has to drop and counts, nothing doubled or wrong, nothing waits any more, and no container met
 * with an accident. The counters of the stack are checked as well: it must not have counted a drop of spans that are all there.
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
