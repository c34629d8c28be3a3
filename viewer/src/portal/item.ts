// One file that could be sent: on the disc, in a folder, in a zip, from the camera. Its bytes are read only when they are needed.
export interface Item {
  /** With the folders it lay in. Shown as text. */
  name: string;
  size: number;
  /** When it was changed last, and once it was looked at a print of its bytes: tells two files of one name and size apart. */
  mark: string;
  slice(start: number, end: number): Promise<ArrayBuffer>;
}

/** Two discs may have the same names, sizes and times. Their first bytes, which hold an image's own number, differ. */
export async function print(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest.subarray(0, 10)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function ofFile(file: File, name = file.webkitRelativePath || file.name): Item {
  return { name, size: file.size, mark: String(file.lastModified), slice: (start, end) => file.slice(start, end).arrayBuffer() };
}
