// One file that could be sent: on the disc, in a folder, in a zip, from the camera. Its bytes are read only when they are needed.
export interface Item {
  /** With the folders it lay in. Shown as text. */
  name: string;
  size: number;
  /** When it was changed last: tells two files of one name and size apart. */
  mark: string;
  slice(start: number, end: number): Promise<ArrayBuffer>;
}

export function ofFile(file: File, name = file.webkitRelativePath || file.name): Item {
  return { name, size: file.size, mark: String(file.lastModified), slice: (start, end) => file.slice(start, end).arrayBuffer() };
}
