const nameWidth = 20;
const cellWidth = 13;

/** A line of a table: the name on the left, numbers under each other. */
export function layRow(name: string, ...cells: readonly (string | number)[]): string {
  return name.padEnd(nameWidth) + cells.map((cell) => String(cell).padStart(cellWidth)).join('');
}
