import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type ServiceName, spawnService } from './start-service.ts';

/** Starts the service with variables that should make it refuse, and waits for its end. */
export async function runToEnd(
  name: ServiceName,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawnService(name, env);
  if (child.stdout === null || child.stderr === null) throw new Error('stdout and stderr are not pipes');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}
