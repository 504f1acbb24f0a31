import { makeChildEnvironment } from '../collect/child-environment.ts';
import { type OtlpReceiver, type OtlpReceiverOptions, startOtlpReceiver } from '../source/otlp-receiver.ts';
import { omitUndefined } from '../util/omit-undefined.ts';

/** A receiver for tests. */
export interface Receiver extends OtlpReceiver {
  /** The environment of this process, changed so that SDKs of every language export here and soon: for processes that a test starts. */
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a receiver of OTLP on a free port of this machine, unless the options say otherwise. Close it after the tests. */
export async function startReceiver(options: OtlpReceiverOptions = {}): Promise<Receiver> {
  const receiver = await startOtlpReceiver({ port: 0, ...omitUndefined(options) });
  const { env } = makeChildEnvironment(process.env, receiver.url, false);
  // Its properties are live: a copy would keep their first values.
  return Object.assign(receiver, { env });
}
