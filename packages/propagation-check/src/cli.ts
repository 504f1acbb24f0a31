#!/usr/bin/env node
import * as module from 'node:module';

// Node 22.8 and later keep what they have compiled; a start takes half as long. Before everything that is loaded.
module.enableCompileCache?.();
const { runProgram } = await import('./cli/run-program.ts');
await runProgram(process.argv);
