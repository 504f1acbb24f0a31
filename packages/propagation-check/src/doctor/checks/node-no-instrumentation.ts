import type { DoctorCheck, Observation } from '../check.ts';
import { listLaunches } from '../launch.ts';
import { listSetups, setupOffset } from '../node-setup.ts';
import { findSdk, hasOtherAgent, isFrontEnd, type NodeUnit } from '../node-unit.ts';
import { placeAt } from '../place.ts';
import type { Project } from '../project.ts';

export const nodeNoInstrumentation: DoctorCheck = {
  id: 'node-no-instrumentation',
  severity: 'error',
  title: 'The SDK is set up without any instrumentation',
  why: 'The SDK alone makes no spans of requests: an instrumentation reads the header of a request, and writes that of a call.',
  fix: 'Give NodeSDK `instrumentations`, for instance those of @opentelemetry/auto-instrumentations-node.',
  example: {
    language: 'js',
    text: 'new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();',
  },
  leadsTo: ['server-not-instrumented', 'client-not-instrumented'],
  find: (project) => project.units.flatMap((unit) => judge(project, unit)),
};

function judge(project: Project, unit: NodeUnit): readonly Observation[] {
  const { dependencies, sources } = unit;
  if (findSdk(unit) === null || hasOtherAgent(unit) || isFrontEnd(unit)) return [];
  // A package without a start may be a library, whose users bring instrumentations.
  if (listLaunches(project, unit).length === 0) return [];
  const others = [
    ...dependencies.keys(),
    ...[...sources.values()].flatMap(({ imports }) => imports.map(({ from }) => from)),
  ];
  if (others.some((name) => /^[^.].*instrument|@fastify\/otel|plugin/.test(name))) return [];
  // Code that reads and writes headers itself needs none.
  if (project.mentions(/\bpropagation\s*\.\s*(?:inject|extract)\b|inject-nodejs/)) return [];
  return listSetups(unit).map((setup) => ({
    place: placeAt(setup, setupOffset(setup)),
    says: 'no instrumentation is installed or imported',
  }));
}
