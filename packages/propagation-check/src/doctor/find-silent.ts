import { basename } from 'node:path/posix';
import type { Observation } from './check.ts';
import { type Environment, readVariable, type Setting } from './environment.ts';
import type { Project } from './project.ts';

/** Tests are meant to make no spans. */
const ofTests = /(?:^|[._-])(?:tests?|ci|e2e)(?:[._-]|$)/;
/** Files for one machine, or to be copied: they do not say what runs elsewhere. */
const ofOneMachine = /(?:^|[._-])(?:local|dev|development|example|sample|template|dist)(?:[._-]|$)/;

/** A setting that keeps the spans of a service away. */
export interface Silence {
  readonly says: string;
  readonly isUnsure?: boolean;
}

/**
 * The places where a variable keeps the spans of a service away.
 *
 * @param judge Null where the value lets spans through.
 */
export function findSilent(
  { environments }: Project,
  name: string,
  judge: (setting: Setting, environment: Environment) => Silence | null,
): readonly Observation[] {
  const isDeployed = ({ kind }: Environment) => kind === 'compose' || kind === 'kubernetes';
  const isReplaced = environments.some((environment) => {
    const setting = readVariable(environment, name);
    return isDeployed(environment) && setting !== null && judge(setting, environment) === null;
  });
  return environments.flatMap((environment) => {
    const setting = readVariable(environment, name);
    if (setting === null || (isReplaced && !isDeployed(environment))) return [];
    const silence = judge(setting, environment);
    const file = basename(setting.place.path);
    if (silence === null || ofTests.test(file)) return [];
    const isUnsure = silence.isUnsure === true || ofOneMachine.test(file);
    return [{ ...silence, isUnsure, place: setting.place, service: environment.service }];
  });
}
