/** Exports for `lab/`: the two services as processes, the requests, and the ten statements about their traces. */
export { followParents } from './assertion/ancestry.ts';
export { type Answer, AnswerError, parseAnswer } from './assertion/answer.ts';
export { callServiceA } from './assertion/call-service-a.ts';
export type { CheckOptions } from './assertion/check-call.ts';
export { checkCalls } from './assertion/check-calls.ts';
export { demoParties, findRoles } from './assertion/roles.ts';
export type { Call } from './assertion/run.ts';
export type { Mode } from './assertion/statements.ts';
export { startDemoSystem } from './demo-system.ts';
export { expectDemo } from './expect-demo.ts';
export { runScript } from './run-script.ts';
export { type ServiceProcess, startService } from './service-process.ts';
