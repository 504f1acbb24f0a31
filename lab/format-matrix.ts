/** One case of a confusion matrix. */
export interface Cell {
  readonly row: string;
  readonly column: string;
}

/** Draws how often each row met each column. Pure. */
export function formatMatrix(title: string, cells: readonly Cell[]): string {
  const rows = [...new Set(cells.map((cell) => cell.row))].sort();
  const columns = [...new Set(cells.map((cell) => cell.column))].sort();
  const width = Math.max(title.length, ...rows.map((row) => row.length));
  const count = (row: string, column: string): number =>
    cells.filter((cell) => cell.row === row && cell.column === column).length;
  const lines = rows.map((row) =>
    [
      row.padEnd(width),
      ...columns.map((column) => (count(row, column) || '.').toString().padStart(column.length)),
    ].join('  '),
  );
  return [[title.padEnd(width), ...columns].join('  '), ...lines].join('\n');
}
