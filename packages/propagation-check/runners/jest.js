import { expect } from '@jest/globals';
import { matchers } from 'propagation-check';

expect.extend(matchers);
