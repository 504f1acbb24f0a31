import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

test('a Node.js service without a name may ignore OTEL_SERVICE_NAME', () => {
  const fixOf = (language: string) => {
    const { spans } = readDrawing(
      `trace 1\n  - SERVER "GET /" 0..10 resource:telemetry.sdk.language=${language}`,
    );
    return checkTraces(spans).findings.find(({ id }) => id === 'service-unnamed')?.fix ?? '';
  };
  assert.match(fixOf('nodejs'), /OTEL_SERVICE_NAME.*OTEL_NODE_RESOURCE_DETECTORS/);
  assert.doesNotMatch(fixOf('python'), /NODE/);
});
