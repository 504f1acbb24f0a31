import { dirname, relative } from 'node:path';
import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import { configurationName, findConfiguration } from '../config/find-configuration.ts';
import type { Setting } from '../config/read-configuration.ts';
import type { Fault } from '../expect/read-yaml.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { readSettings } from '../source/read-whole-file.ts';
import { SourceError } from '../source/source.ts';
import { findOtherContent } from './find-other-content.ts';
import { refuseDifferent } from './refuse-second.ts';
import { type AppliedSetting, renderSettings } from './render-settings.ts';
import type { Session } from './session.ts';
import { continueLine } from './to-error-line.ts';
import { UsageError } from './usage-error.ts';

/** The texts of each option on the command line, by the attribute of the option; `--no-config` by its name. */
type Given = ReadonlyMap<string, readonly string[]>;

/** Refuses options that contradict the settings, after the file is read. @param isGiven Whether the command line has the option. */
export type RefuseOptions = (isGiven: (option: string) => boolean) => Promise<void>;

/** Lets a command take options that its command line leaves out from the configuration file. Call it after the other options are added. */
export function addConfiguration(
  command: Command,
  session: Session,
  refuseOptions: RefuseOptions = async () => {},
): Command {
  command
    .option('--config <file>', `settings file, instead of the nearest ${configurationName}`)
    .option('--no-config', `read no ${configurationName}`)
    .option('--show-config', 'print all settings with their origins, and exit');
  const given = new Map<string, readonly string[]>();
  for (const option of command.options) {
    const name = option.negate ? option.name() : option.attributeName();
    command.on(`option:${option.name()}`, (text: string | null) =>
      given.set(name, [...(given.get(name) ?? []), text ?? 'true']),
    );
  }
  return command.hook('preAction', () => applyConfiguration(command, given, session, refuseOptions));
}

interface ConfigurationArguments {
  readonly config?: string | false;
  readonly showConfig?: boolean;
  /** An option of `watch`. */
  readonly once?: boolean;
}

async function applyConfiguration(
  command: Command,
  given: Given,
  session: Session,
  refuseOptions: RefuseOptions,
): Promise<void> {
  refuseSecond(command, given);
  const { config, showConfig, once } = command.opts<ConfigurationArguments>();
  const path = config === false ? null : (config ?? findNearest());
  const { applied, unused } = path === null ? nothing : await applyFile(command, path);
  await refuseOptions((option) => command.getOptionValueSource(option) === 'cli');
  if (showConfig === true) {
    await session.output.print(renderSettings({ command, given, applied, unused, path }));
    throw new CommanderError(0, 'propagation-check.showConfig', '');
  }
  // `watch` without `--once` gives no verdict, so no setting of verdicts is missed.
  if (path !== null && unused.length > 0 && once === true) {
    const keys = unused.map(({ key }) => key).join(', ');
    session.writeError(`propagation-check: ${quotePath(path)}: ${command.name()} does not use ${keys}\n`);
  }
  // Not a `requiredOption`: commander would refuse the command before the file is read.
  if (needSource.includes(command.name()) && command.getOptionValue('source') === undefined) {
    const url = lacksUrl(command) ? "missing required argument 'url', and " : '';
    command.error(
      `${url}required option '--source <source>' not specified, and no source in ${configurationName}`,
    );
  }
}

/** Options that name one place: a second value would silently replace the first. Other options may be repeated, for instance after a shell alias. */
const namedOnce = ['config', 'source', 'service', 'expectations', 'baseline', 'project'];

function refuseSecond(command: Command, given: Given): void {
  if (given.has('config') && given.has('no-config'))
    throw new UsageError('--config and --no-config contradict each other; name one');
  for (const option of namedOnce) {
    // The option is repeatable: `run` takes several services.
    if (Array.isArray(command.getOptionValue(option))) continue;
    refuseDifferent(option, given.get(option) ?? []);
  }
}

const needSource = ['run', 'trace'];

function lacksUrl(command: Command): boolean {
  return command.name() === 'run' && command.args.length === 0 && command.getOptionValue('url') === undefined;
}

function findNearest(): string | null {
  const found = findConfiguration(process.cwd());
  return found === null ? null : relative('', found);
}

interface AppliedFile {
  readonly applied: readonly AppliedSetting[];
  /** Settings of `ofEachResult` for which the command has no option. */
  readonly unused: readonly Setting[];
}

const nothing: AppliedFile = { applied: [], unused: [] };

/** Settings of verdicts and reports. A command that does not use them says so. The README says which commands use the other settings. */
const ofEachResult = ['reports', 'baseline', 'fail-on', 'collector-metrics'];

/** @throws {UsageError} with all faults of the file, each with line and column. */
async function applyFile(command: Command, path: string): Promise<AppliedFile> {
  const name = quotePath(path);
  const text = await readSettings(path).catch((error: unknown) => {
    throw new UsageError(`--config ${name}: ${describeFileError(error)}`);
  });
  const [{ readConfiguration }, { configuredOptions }, { listFaults }] = await Promise.all([
    import('../config/read-configuration.ts'),
    import('./configured-options.ts'),
    import('../expect/read-yaml.ts'),
  ]);
  // First, so that after an error no report overwrites the file.
  command.setOptionValueWithSource('configFile', path, 'config');
  const { settings, faults: ofForm } = readConfiguration(text);
  const faults: Fault[] = [...ofForm];
  const applied: AppliedSetting[] = [];
  const unused: Setting[] = [];
  for (const setting of settings) {
    try {
      const option = configuredOptions[setting.key]?.(setting.value, dirname(path));
      if (option === undefined) continue;
      if (ofEachResult.includes(setting.key) && !hasOption(command, option.attribute)) unused.push(setting);
      if (!isOpen(command, setting, option.attribute)) continue;
      command.setOptionValueWithSource(option.attribute, option.value, 'config');
      applied.push({ ...setting, attribute: option.attribute });
    } catch (error) {
      faults.push({ ...setting, text: `${setting.key}: ${describeError(error)}` });
    }
  }
  if (faults.length > 0) {
    const other = await findOtherContent(text, '--config');
    throw new UsageError(
      other === null ? `${name}:${listFaults(faults).join('; ')}` : `--config ${name}: ${other}`,
    );
  }
  return { applied, unused };
}

/** Settings of the file that every command takes although no option exists for them. */
const withoutOption = ['expectation', 'toleratedPeers'];

/** Whether the command has the option and the command line leaves it out. */
function isOpen(command: Command, { key, value }: Setting, attribute: string): boolean {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (attribute === 'url') return command.name() === 'run' && command.args.length === 0;
  const [section] = key.split('.');
  if (section !== key && section !== command.name()) return false;
  if (attribute === 'report' && isGiven('json')) return false;
  if (attribute === 'expectation' && isGiven('expectations')) return false;
  if (attribute === 'source' && !needSource.includes(command.name())) {
    // `exec` only has a receiver, and `watch` may have files instead of a source.
    const isFit = command.name() === 'exec' ? /^otlp(?:=|$)/.test(String(value)) : command.args.length === 0;
    if (!isFit) return false;
  }
  return (hasOption(command, attribute) || withoutOption.includes(attribute)) && !isGiven(attribute);
}

function hasOption(command: Command, attribute: string): boolean {
  return command.options.some((option) => option.attributeName() === attribute);
}

/** The message without the name of the option: the key of the setting stands before it. */
function describeError(error: unknown): string {
  const isKnown =
    error instanceof InvalidArgumentError || error instanceof UsageError || error instanceof SourceError;
  if (!isKnown) throw error;
  return continueLine(error.message.replace(/^--[\w-]+(?:: |[ =])/, ''));
}
