import { dirname } from 'node:path/posix';
import type { DoctorCheck } from '../check.ts';
import { isBelow } from '../node-unit.ts';
import type { Project } from '../project.ts';

export const javaAgentMissing: DoctorCheck = {
  id: 'java-agent-missing',
  severity: 'warning',
  title: 'A Java service is configured for OpenTelemetry and has no agent',
  why: 'OTEL_* variables are read by the agent or by an SDK in the program. Without either nothing makes spans, reads headers or sends them.',
  fix: 'Start it with `-javaagent:opentelemetry-javaagent.jar`, for instance by JAVA_TOOL_OPTIONS, or add the Spring Boot starter.',
  example: {
    language: 'dockerfile',
    text: 'ENV JAVA_TOOL_OPTIONS="-javaagent:/otel/opentelemetry-javaagent.jar"',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: (project) =>
    project.environments.flatMap((environment) => {
      const { variables, command, service, place, folder, isInjected } = environment;
      const runsJava = /(?:^|[\s/])java\s+(?:.*\s)?(?:-jar|-cp|org\.springframework)/.test(
        command?.value ?? '',
      );
      const wants = variables.get('OTEL_EXPORTER_OTLP_ENDPOINT') ?? variables.get('OTEL_SERVICE_NAME');
      if (!runsJava || wants === undefined || isInjected || folder === null) return [];
      const options = [...variables.values()].map(({ value }) => value).join(' ');
      if (/javaagent/.test(options) || /javaagent|@\S*argfile/.test(command?.value ?? '')) return [];
      return hasSdk(project, folder)
        ? []
        : [
            {
              place: command?.place ?? place,
              service,
              says: `java starts without an agent, and ${wants.place.path}:${wants.place.line} configures one`,
            },
          ];
    }),
};

/** Whether the build contains an SDK, or a file of the project adds the agent in another way. */
function hasSdk(project: Project, folder: string): boolean {
  const builds = project
    .ofKind('jvm-build')
    .filter(({ path }) => isBelow(path, folder) || isBelow(folder, dirname(path)));
  // Without a build file the contents of the program are unknown.
  if (builds.length === 0) return true;
  return (
    builds.some(({ text }) =>
      /opentelemetry|micrometer-tracing|quarkus-opentelemetry|zipkin|brave/.test(text),
    ) || project.mentions(/javaagent/)
  );
}
