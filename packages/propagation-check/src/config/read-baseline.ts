import { stringify } from 'yaml';
import * as z from 'zod';
import { edgeProtocols } from '../calls/call-group.ts';
import { listFaults, readYaml } from '../expect/read-yaml.ts';
import { findingIds } from '../rules/finding.ts';
import type { Baseline } from '../verdict/apply-baseline.ts';

const service = z.string('expected the name of a service, or null where it is unknown').nullable();
const protocol = z.enum(edgeProtocols, `expected one of ${edgeProtocols.join(', ')}`);
const finding = z.enum(findingIds, 'expected a finding; propagation-check explain lists all');

const baselineShape = z.strictObject({
  known: z.array(
    z.strictObject(
      {
        client: service,
        server: service,
        protocol: protocol.exactOptional(),
        finding,
        cause: finding.exactOptional(),
      },
      'expected client, server and finding',
    ),
    'expected a list of findings',
  ),
});

/** The text is not a baseline. The message lists the faults with their places: `3:5: known.0.finding: …; …`. */
export class BaselineError extends Error {
  override readonly name = 'BaselineError';
}

/** Reads a baseline as `renderBaseline` writes it. @throws {BaselineError} with the line and column of each fault. */
export function readBaseline(text: string): Baseline {
  const { value, faults } = readYaml(text, baselineShape);
  if (value === null) throw new BaselineError(listFaults(faults).join('; '));
  return value.known;
}

const heading = `# What is known to be broken: propagation-check --baseline accepts it and fails on what is new.
# Written by --update-baseline. Remove an entry, and what it accepts fails again.
`;

/** One key on each line and no trace ids, so that diffs are easy to read. */
export function renderBaseline(baseline: Baseline): string {
  return heading + stringify({ known: baseline }, { lineWidth: 0 });
}
