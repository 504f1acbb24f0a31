/** A write for each line would cost more than all that OpenTelemetry does for its request: lines are written together. */
const delayMillis = 10;

let waiting = '';

/** Stdout for log lines. They are written within 10 ms, and before the process exits. */
export const logStream = {
  write(line: string): void {
    if (waiting === '') setTimeout(flush, delayMillis).unref();
    waiting += line;
  },
};

function flush(): void {
  const lines = waiting;
  waiting = '';
  if (lines !== '') process.stdout.write(lines);
}

process.on('exit', flush);
