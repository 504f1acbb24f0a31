import * as z from 'zod';

export interface Container {
  readonly id: string;
  readonly isRunning: boolean;
  readonly exitCode: number;
  readonly isOomKilled: boolean;
  readonly restarts: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Null where the service has no health check. */
  readonly health: string | null;
  readonly networks: Readonly<
    Record<string, { readonly address: string; readonly aliases: readonly string[] }>
  >;
}

const containersSchema = z.tuple([
  z.object({
    Id: z.string(),
    RestartCount: z.number(),
    State: z.object({
      Running: z.boolean(),
      ExitCode: z.number(),
      OOMKilled: z.boolean(),
      StartedAt: z.string(),
      Health: z.object({ Status: z.string() }).optional(),
    }),
    NetworkSettings: z.object({
      Networks: z.record(
        z.string(),
        z.object({ IPAddress: z.string(), Aliases: z.array(z.string()).nullable() }),
      ),
    }),
  }),
]);

/** @param inspected The JSON of `docker inspect`. */
export function readContainer(inspected: unknown): Container {
  const [{ Id, RestartCount, State, NetworkSettings }] = containersSchema.parse(inspected);
  return {
    id: Id,
    isRunning: State.Running,
    exitCode: State.ExitCode,
    isOomKilled: State.OOMKilled,
    restarts: RestartCount,
    startedAt: State.StartedAt,
    health: State.Health?.Status ?? null,
    networks: Object.fromEntries(
      Object.entries(NetworkSettings.Networks).map(([name, { IPAddress, Aliases }]) => [
        name,
        { address: IPAddress, aliases: Aliases ?? [] },
      ]),
    ),
  };
}
