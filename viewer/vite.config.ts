// Build of everything the browser loads. Output goes into the Python package (smart_app/static/viewer) with a
// manifest, so that templates name hashed files; each text file also lies there gzipped for send_file.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// vtk.js registers a WebGPU back end beside WebGL; a stack viewer never uses it.
const noWebGpu: Plugin = {
  name: 'priors-no-webgpu',
  enforce: 'pre',
  resolveId(source, importer) {
    const asked = /WebGPU/.test(source) && importer && /vtk\.js\/Rendering\/Profiles/.test(importer);
    return asked ? here('./stubs/empty.js') : undefined;
  },
};

// The text of a mark is styled through an attribute, which a strict style-src refuses; the property does the same.
const markStyleByProperty: Plugin = {
  name: 'priors-mark-style',
  transform(code, id) {
    if (!/@cornerstonejs\/tools\/.*drawingSvg\/drawTextBox\.js/.test(id)) return undefined;
    const found = "textElement.setAttribute('style', combinedStyle)";
    if (!code.includes(found)) this.error('drawTextBox changed: look at how it styles its text now');
    return code.replace(found, 'textElement.style.cssText = combinedStyle');
  },
};

const COMPRESSIBLE = new Set(['.js', '.css', '.wasm', '.json', '.svg']);
const WORTH_IT = 1024;

const precompress: Plugin = {
  name: 'priors-precompress',
  apply: 'build',
  writeBundle(options) {
    const root = options.dir ?? '';
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !COMPRESSIBLE.has(extname(entry.name)) || path.includes('.vite')) continue;
      const bytes = readFileSync(path);
      rmSync(`${path}.gz`, { force: true });
      if (bytes.length > WORTH_IT) writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    }
  },
};

export default defineConfig(({ mode }) => ({
  base: './',
  worker: { format: 'es' },
  plugins: [noWebGpu, markStyleByProperty, precompress],
  // vtk.js's XML writer pulls in xmlbuilder2, which wants node's `events`: without this the page dies at load.
  resolve: { alias: { xmlbuilder2: here('./stubs/xmlbuilder2.js') } },
  build: {
    target: 'es2022',
    outDir: here('../smart_app/static/viewer'),
    emptyOutDir: true,
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: scripts and fonts would not pass the page's CSP
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: {
        ahead: here('./src/viewer/ahead.ts'),
        desk: here('./src/desk/main.ts'),
        list: here('./src/list/main.ts'),
        plain: here('./src/plain/main.ts'),
        preop: here('./src/preop/main.ts'),
        portal: here('./src/portal/main.ts'),
        theme: here('./src/theme/boot.ts'),
        ...(mode === 'dev' ? { dev: here('./dev/main.ts') } : {}), // the viewer alone, see dev/main.ts
      },
    },
  },
}));
