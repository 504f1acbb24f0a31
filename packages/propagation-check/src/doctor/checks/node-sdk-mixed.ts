import type { DoctorCheck, Observation } from '../check.ts';
import type { Setting } from '../environment.ts';
import { readGeneration } from '../installed-packages.ts';
import type { NodeUnit } from '../node-unit.ts';

/** Packages that contain the class of spans. */
const makers = [
  '@opentelemetry/sdk-node',
  '@opentelemetry/sdk-trace-node',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-trace',
];

export const nodeSdkMixed: DoctorCheck = {
  id: 'node-sdk-mixed',
  severity: 'error',
  title: 'Exporter and SDK are of different generations',
  why: 'SDK 1 keeps the parent of a span in `parentSpanId`, later ones in `parentSpanContext`. An exporter of the other generation finds no parent, so every span is a root, or fails.',
  fix: 'Upgrade both to one generation: 1.x with 0.57 and below, 2.x with 0.200, 3.x with 0.300.',
  example: {
    language: 'json',
    text: '{\n  "@opentelemetry/sdk-trace-node": "^2.2.0",\n  "@opentelemetry/exporter-trace-otlp-http": "^0.205.0"\n}',
  },
  leadsTo: ['parent-dropped', 'client-span-lost', 'server-span-lost'],
  find: ({ units }) => units.flatMap(judge),
};

interface Part {
  readonly name: string;
  readonly generation: number;
  readonly version: string;
  readonly setting: Setting;
}

function judge(unit: NodeUnit): readonly Observation[] {
  const parts = [...unit.dependencies].flatMap(([name, setting]) => readPart(unit, name, setting));
  const sdk = makers.flatMap((name) => parts.filter((part) => part.name === name))[0];
  if (sdk === undefined) return [];
  return parts
    .filter(
      ({ name }) =>
        name.startsWith('@opentelemetry/exporter-trace-') ||
        name === '@opentelemetry/exporter-zipkin' ||
        name === '@opentelemetry/exporter-jaeger',
    )
    .filter(({ generation }) => generation !== sdk.generation)
    .map((exporter) => ({
      place: exporter.setting.place,
      says: `${exporter.name} ${exporter.version} is of SDK ${exporter.generation}, ${sdk.name} ${sdk.version} of SDK ${sdk.generation}`,
      // The field has the same name in generations 2 and 3.
      isUnsure: Math.min(exporter.generation, sdk.generation) > 1,
    }));
}

/** The installed version; where that is not known, the requested one. */
function readPart({ installed, folder }: NodeUnit, name: string, setting: Setting): readonly Part[] {
  const version = installed?.resolveFrom(folder, name)?.version ?? setting.value;
  const generation = readGeneration(version);
  return generation === null ? [] : [{ name, generation, version, setting }];
}
