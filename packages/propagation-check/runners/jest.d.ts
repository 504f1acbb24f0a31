import type { PropagationMatchers } from 'propagation-check';

/** For `@jest/globals`. */
declare module 'expect' {
  // All declarations of an interface have the same type parameters.
  interface Matchers<R extends void | Promise<void>, T = unknown> extends PropagationMatchers {}
}

/** For the global `expect` of `@types/jest`. */
declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: as `@types/jest` has it.
    interface Matchers<R, T = {}> extends PropagationMatchers {}
  }
}
