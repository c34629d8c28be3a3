// What was dropped or chosen, as one list of files: folders are walked to their leaves, zips are opened where that can be done here.
import { type Item, ofFile } from './item';

/** Files of a drop. Entries have to be taken in the event itself: afterwards the browser forgets them. */
export function ofDrop(transfer: DataTransfer): Promise<Item[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  if (entries.every((entry) => entry === null)) return Promise.resolve(plain.map((file) => ofFile(file)));
  return walk(entries.filter((entry): entry is FileSystemEntry => entry !== null));
}

export function ofInput(input: HTMLInputElement): Item[] {
  return [...(input.files ?? [])].map((file) => ofFile(file));
}

async function walk(entries: FileSystemEntry[]): Promise<Item[]> {
  const found: Item[] = [];
  for (const entry of entries) {
    if (entry.isDirectory) found.push(...(await walk(await children(entry as FileSystemDirectoryEntry))));
    else found.push(ofFile(await file(entry as FileSystemFileEntry), entry.fullPath.replace(/^\//, '')));
  }
  return found;
}

// A reader gives a hundred entries at a time, until it gives none.
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function file(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
