// Moments that are measured, and waiting for one.

/** Marks a moment once what led to it is on the screen, and tells the page. */
export function mark(name: 'priors:first-picture' | 'priors:first-image' | 'priors:all-images'): void {
  requestAnimationFrame(() => {
    performance.mark(name);
    document.dispatchEvent(new Event(name));
  });
}

export function painted(): Promise<void> {
  return new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
}
