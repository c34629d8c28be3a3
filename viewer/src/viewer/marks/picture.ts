// The image in view as a PNG: what is on the screen, with the marks, and a line that says where it is from. Nobody's name is on it
// unless asked for; what is burned into the pixels stays, and the person is told. Recorded before it is made.
import type { Cell } from '../cell';

const BAR = 44;
const ON_BLACK = '#e8edf2';

/** The lines under the picture. */
export function linesUnder(hospital: string, date: string, patient: { name: string; born: string; id: string } | null): string[] {
  const from = [hospital, date].filter(Boolean).join(' \u00b7 ') || 'Source not known';
  const who = patient ? [patient.name, patient.born, patient.id].filter(Boolean).join(' \u00b7 ') : '';
  return [`${from} \u00b7 Not for diagnosis`, who].filter(Boolean);
}

/** Draws the picture of a cell, its overlays and marks. */
export async function pictureOf(cell: Cell, lines: readonly string[]): Promise<Blob> {
  const stack = cell.live;
  const source = stack?.viewport.getCanvas();
  if (!stack || !source) throw new Error('nothing is in view');
  stack.viewport.render();
  await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
  const canvas = document.createElement('canvas');
  const ratio = source.width / Math.max(1, stack.element.clientWidth);
  canvas.width = source.width;
  canvas.height = source.height + Math.round(BAR * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  pen.fillStyle = '#000';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0);
  for (const layer of cell.element.querySelectorAll<HTMLCanvasElement>('canvas.v-layers')) pen.drawImage(layer, 0, 0, source.width, source.height);
  const marks = stack.element.querySelector<SVGSVGElement>('.svg-layer');
  if (marks?.childElementCount) await drawMarks(pen, marks, stack.element, ratio);
  pen.fillStyle = ON_BLACK;
  pen.font = `${Math.round(13 * ratio)}px sans-serif`;
  lines.forEach((line, i) => pen.fillText(line, 8 * ratio, source.height + (18 + 18 * i) * ratio, canvas.width - 16 * ratio));
  return new Promise((resolve, reject) => { canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'); });
}

// Shapes and words one by one: an SVG as a whole would have to be read as an image, which the page's rules do not let in.
async function drawMarks(pen: CanvasRenderingContext2D, svg: SVGSVGElement, box: HTMLElement, ratio: number): Promise<void> {
  const origin = box.getBoundingClientRect();
  for (const shape of svg.querySelectorAll<SVGGraphicsElement>('line, polyline, path, ellipse, circle, rect, text')) {
    if (shape.closest('defs') || shape.closest('filter')) continue;
    const style = getComputedStyle(shape);
    const matrix = shape.getScreenCTM();
    if (!matrix) continue;
    pen.save();
    pen.setTransform(ratio * matrix.a, ratio * matrix.b, ratio * matrix.c, ratio * matrix.d, ratio * (matrix.e - origin.left), ratio * (matrix.f - origin.top));
    pen.strokeStyle = style.stroke;
    pen.fillStyle = style.fill;
    pen.lineWidth = Number.parseFloat(style.strokeWidth) || 1.5;
    if (shape instanceof SVGTextElement) words(pen, shape, style);
    else outline(pen, shape, style);
    pen.restore();
  }
}

function words(pen: CanvasRenderingContext2D, text: SVGTextElement, style: CSSStyleDeclaration): void {
  pen.font = `${style.fontSize} ${style.fontFamily}`;
  for (const line of text.querySelectorAll('tspan')) {
    if (!line.textContent) continue;
    const at = line.getStartPositionOfChar(0);
    pen.fillStyle = getComputedStyle(line).fill;
    pen.fillText(line.textContent, at.x, at.y);
  }
}

function outline(pen: CanvasRenderingContext2D, shape: SVGGraphicsElement, style: CSSStyleDeclaration): void {
  const number = (name: string): number => Number(shape.getAttribute(name) ?? 0) || 0;
  const path = new Path2D(shape instanceof SVGPathElement ? (shape.getAttribute('d') ?? '') : undefined);
  if (shape instanceof SVGLineElement) { path.moveTo(number('x1'), number('y1')); path.lineTo(number('x2'), number('y2')); }
  if (shape instanceof SVGPolylineElement) [...shape.points].forEach((point, i) => (i ? path.lineTo(point.x, point.y) : path.moveTo(point.x, point.y)));
  if (shape instanceof SVGEllipseElement) path.ellipse(number('cx'), number('cy'), number('rx'), number('ry'), 0, 0, 2 * Math.PI);
  if (shape instanceof SVGCircleElement) path.arc(number('cx'), number('cy'), number('r'), 0, 2 * Math.PI);
  if (shape instanceof SVGRectElement) path.rect(number('x'), number('y'), number('width'), number('height'));
  if (style.fill !== 'none') pen.fill(path);
  if (style.stroke !== 'none') pen.stroke(path);
}
