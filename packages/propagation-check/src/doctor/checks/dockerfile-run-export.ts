import { DockerfileParser, Keyword } from 'dockerfile-ast';
import type { DoctorCheck } from '../check.ts';

/** Exports of variables that an SDK or a runtime reads at the start of a program. No build step reads them. */
const exported = /^export\s+((?:OTEL_\w+|JAVA_TOOL_OPTIONS|NODE_OPTIONS)=[^&;|]*)$/;

export const dockerfileRunExport: DoctorCheck = {
  id: 'dockerfile-run-export',
  severity: 'error',
  title: 'RUN export sets nothing for the program',
  why: 'Each RUN has a shell of its own, and what it exports ends with it: the container starts without the agent, or without its settings.',
  fix: 'Write `ENV NAME=value`.',
  example: {
    language: 'dockerfile',
    text: 'ENV JAVA_TOOL_OPTIONS="-javaagent:/opentelemetry-javaagent.jar" \\\n    OTEL_SERVICE_NAME=orders',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented', 'service-unnamed'],
  find: ({ ofKind }) =>
    ofKind('dockerfile').flatMap(({ path, text }) =>
      DockerfileParser.parse(text)
        .getInstructions()
        .flatMap((instruction) => {
          if (instruction.getKeyword() !== Keyword.RUN) return [];
          const [, set] = exported.exec(instruction.getArgumentsContent() ?? '') ?? [];
          const { line, character } = instruction.getRange().start;
          return set === undefined
            ? []
            : [
                {
                  place: { path, line: line + 1, column: character + 1 },
                  says: `RUN export ${set} has no effect`,
                },
              ];
        }),
    ),
};
