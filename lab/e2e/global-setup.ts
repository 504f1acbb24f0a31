import { removeEndedStacks } from '../ended-stacks.ts';
import { findObstacle } from './compose-stack.ts';

/** Runs once, before the test files. Source: Node.js, `--test-global-setup`. */
export async function globalSetup(): Promise<void> {
  if ((await findObstacle()) === null) await removeEndedStacks();
}
