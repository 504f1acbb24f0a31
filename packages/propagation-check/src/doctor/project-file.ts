export interface ProjectFile {
  /** Relative to the folder that was read, with `/`. */
  readonly path: string;
  readonly text: string;
}
