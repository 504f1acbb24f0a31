import { matchers } from 'propagation-check';
import { expect } from 'vitest';

expect.extend(matchers);
