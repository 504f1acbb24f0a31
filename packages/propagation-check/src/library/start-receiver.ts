import { makeChildEnvironment } from '../collect/child-environment.ts';
import { type OtlpReceiver, type OtlpReceiverOptions, startOtlpReceiver } from '../source/otlp-receiver.ts';
import { omitUndefined } from '../util/omit-undefined.ts';
import { checkSettings, number, type SettingRule, text } from './check-arguments.ts';

const optionRules = {
  host: text,
  port: {
    expected: 'a number, or a list of numbers',
    fits: (value) => [value].flat().every((each) => typeof each === 'number'),
  },
  maxRequestBytes: number,
  maxSpans: number,
  maxBytes: number,
  maxBodyBytes: number,
  maxConnections: number,
  openSinks: { expected: 'a function', fits: (value) => typeof value === 'function' },
} satisfies Record<keyof OtlpReceiverOptions, SettingRule>;

/** A receiver for tests. */
export interface Receiver extends OtlpReceiver {
  /** The environment of this process, changed so that SDKs of every language export here and soon: for processes that a test starts. */
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a receiver of OTLP on a free port of this machine, unless the options say otherwise. Close it after the tests. */
export async function startReceiver(options: OtlpReceiverOptions = {}): Promise<Receiver> {
  checkSettings(options, optionRules);
  const receiver = await startOtlpReceiver({ port: 0, ...omitUndefined(options) });
  const { env } = makeChildEnvironment(process.env, receiver.url, false);
  // Its properties are live: a copy would keep their first values.
  return Object.assign(receiver, { env });
}
