/** A reporter for node:test: a dot for each process, the failures with their location and reason, and the sums that CI adds up. */
import { inspect } from 'node:util';

const sums = /^(tests|pass|fail|cancelled|skipped|duration_ms) /;

export default async function* report(events) {
  const failures = [];
  for await (const { type, data } of events) {
    if (type === 'test:fail') {
      if (data.details.error?.failureType !== 'subtestsFailed') failures.push(describeFailure(data));
    } else if (type === 'test:summary') {
      if (data.file !== undefined) yield data.success ? '.' : 'F';
    } else if (type === 'test:diagnostic' && data.file === undefined && sums.test(data.message)) {
      if (data.message.startsWith('tests ')) yield `\n${failures.join('')}`;
      yield `ℹ ${data.message}\n`;
    } else if (type === 'test:diagnostic' && data.message.startsWith('Error: ')) {
      // Work that a test started has thrown after the test's end.
      failures.push(`\n✖ ${data.file}\n  ${data.message}\n`);
    } else if (type === 'test:stderr') yield data.message;
  }
}

function describeFailure({ name, file, line, details: { error } }) {
  return `\n✖ ${name}\n  ${file}:${line}\n  ${inspect(error?.cause ?? error).replaceAll('\n', '\n  ')}\n`;
}
