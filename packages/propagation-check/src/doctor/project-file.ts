export interface ProjectFile {
  /** Relative to the examined folder, with `/`. */
  readonly path: string;
  readonly text: string;
}
