import { dirname } from 'node:path/posix';
import { DockerfileParser, Keyword, PropertyInstruction } from 'dockerfile-ast';
import type { Environment, Setting } from './environment.ts';
import { readResourceName } from './otel-names.ts';
import type { ProjectFile } from './project-file.ts';

/** The environment of a Dockerfile's last stage, which is the one that runs. */
export function readDockerfile({ path, text }: ProjectFile): Environment {
  const instructions = DockerfileParser.parse(text).getInstructions();
  const stages = instructions.map((each) => each.getKeyword()).lastIndexOf(Keyword.FROM);
  const last = instructions.slice(Math.max(stages, 0));
  const variables = new Map<string, Setting>();
  const commands: Setting[] = [];
  let image: string | null = null;
  for (const instruction of last) {
    const { line, character } = instruction.getRange().start;
    const place = { path, line: line + 1, column: character + 1 };
    const keyword = instruction.getKeyword();
    if (keyword === Keyword.FROM) image = instruction.getArguments()[0]?.getValue() ?? null;
    if (keyword === Keyword.ENV && instruction instanceof PropertyInstruction) {
      for (const property of instruction.getProperties()) {
        const { start } = property.getRange();
        variables.set(property.getName(), {
          value: property.getValue() ?? '',
          place: { path, line: start.line + 1, column: start.character + 1 },
        });
      }
    }
    if (keyword === Keyword.CMD || keyword === Keyword.ENTRYPOINT)
      commands.push({ value: readCommand(instruction.getArgumentsContent() ?? ''), place });
  }
  const [first = null] = commands;
  return {
    service: readResourceName(variables),
    system: path,
    kind: 'dockerfile',
    place: { path, line: 1, column: 1 },
    variables,
    image,
    folder: dirname(path),
    command: first === null ? null : { ...first, value: commands.map(({ value }) => value).join(' ') },
    isInjected: false,
  };
}

/** The words of the exec form as one text; the shell form as it is. */
function readCommand(content: string): string {
  if (!content.trimStart().startsWith('[')) return content;
  try {
    const words: unknown = JSON.parse(content);
    return Array.isArray(words) ? words.join(' ') : content;
  } catch {
    return content;
  }
}
