import type { PropagationMatchers } from 'propagation-check';

/** For `@jest/globals`. */
declare module 'expect' {
  // The type parameters must be those of the other declarations of this interface.
  interface Matchers<R extends void | Promise<void>, T = unknown> extends PropagationMatchers {}
}

/** For the global `expect` of `@types/jest`. */
declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: as `@types/jest` has it.
    interface Matchers<R, T = {}> extends PropagationMatchers {}
  }
}
