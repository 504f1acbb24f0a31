import type { PropagationMatchers } from 'propagation-check';

declare module 'vitest' {
  // The type parameters of Vitest 5. Earlier versions have one, so their users need `skipLibCheck`.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends PropagationMatchers {}
}
