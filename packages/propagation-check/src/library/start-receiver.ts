import { makeChildEnvironment } from '../collect/child-environment.ts';
import { type OtlpReceiver, type OtlpReceiverOptions, startOtlpReceiver } from '../source/otlp-receiver.ts';
import { omitUndefined } from '../util/omit-undefined.ts';

/** A receiver for tests. */
export interface Receiver extends OtlpReceiver {
  /** `process.env`, changed so that SDKs of every language export to this receiver without delay. For processes that a test starts. */
  readonly env: NodeJS.ProcessEnv;
}

/** Starts an OTLP receiver, by default on a free port of this machine. Close it after the tests. */
export async function startReceiver(options: OtlpReceiverOptions = {}): Promise<Receiver> {
  const receiver = await startOtlpReceiver({ port: 0, ...omitUndefined(options) });
  const { env } = makeChildEnvironment(process.env, receiver.url, false);
  // The receiver itself, because its properties are live: a copy would keep their first values.
  return Object.assign(receiver, { env });
}
