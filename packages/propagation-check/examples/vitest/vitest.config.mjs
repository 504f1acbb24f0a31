import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { setupFiles: ['propagation-check/vitest'], testTimeout: 15_000, hookTimeout: 30_000 },
});
