import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { setupFiles: ['./setup.mjs'], testTimeout: 15_000, hookTimeout: 30_000 },
});
