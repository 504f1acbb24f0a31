import { basename } from 'node:path/posix';
import type { Observation } from './check.ts';
import { type Environment, readVariable, type Setting } from './environment.ts';
import type { Project } from './project.ts';

/** Names of files of tests, which disable spans on purpose. */
const ofTests = /(?:^|[._-])(?:tests?|ci|e2e)(?:[._-]|$)/;
/** Names of files with local settings and of templates, which do not show the deployed values. */
const ofOneMachine = /(?:^|[._-])(?:local|dev|development|example|sample|template|dist)(?:[._-]|$)/;

/** A setting that stops a service from exporting spans. */
export interface Silence {
  readonly says: string;
  readonly isUnsure?: boolean;
}

/**
 * Finds the places where a variable stops a service from exporting spans.
 *
 * @param judge Returns null where the value does not stop the export.
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
