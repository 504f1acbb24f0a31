/** A file of a project as it was read. */
export interface ProjectFile {
  /** Relative to the folder that was read, with `/`. */
  readonly path: string;
  readonly text: string;
}
