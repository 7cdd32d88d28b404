// Builds ../static from src: one script, one style sheet, the licences of what is in them, and a digest of the sources, by which
// a test knows that the built files belong to them.

import {build} from 'esbuild'
import {createHash} from 'node:crypto'
import {copyFileSync, readFileSync, readdirSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, '..', 'static')
process.chdir(here)

const result = await build({
  entryPoints: [{in: 'src/main.jsx', out: 'app'}, {in: 'src/app.css', out: 'app'}],
  bundle: true, minify: true, format: 'esm', target: 'es2022', outdir: out, metafile: true, legalComments: 'none',
  entryNames: '[name]', jsx: 'automatic', jsxImportSource: 'preact', loader: {'.png': 'dataurl', '.svg': 'dataurl'},
  define: {'process.env.NODE_ENV': '"production"'},
  plugins: [{
    name: 'plain-board', // without Shudan's picture of wood, which is four times as large as everything else
    setup(plugin) {
      plugin.onLoad({filter: /goban\.css$/}, ({path}) => ({
        contents: readFileSync(path, 'utf8').replace(/url\(['"]?[^)]*board\.png['"]?\)/, 'none'), loader: 'css'
      }))
    }
  }]
})
copyFileSync('src/index.html', join(out, 'index.html'))
copyFileSync('src/icon.svg', join(out, 'icon.svg'))
writeFileSync(join(out, 'LICENSES.txt'), licences(Object.keys(result.metafile.inputs)))
writeFileSync(join(out, 'SOURCES.sha256'), `${digest()}\n`)

// The licences of the packages that files of the bundle come from.
function licences(inputs) {
  const packages = new Set(inputs.map(path => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean))
  return [...packages].sort().map(name => {
    const folder = join('node_modules', name)
    const {version, license} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry))
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `(licence: ${license})`
    return `${name} ${version}, ${license}\n\n${text}\n`
  }).join(`\n${'-'.repeat(100)}\n\n`)
}

// SHA-256 over names and contents of all sources, in the order of their names.
function digest() {
  const names = readdirSync('src', {recursive: true}).map(name => `src/${name}`.replaceAll('\\', '/'))
    .filter(name => /\.\w+$/.test(name)).concat('package.json', 'package-lock.json', 'build.mjs').sort()
  const hash = createHash('sha256')
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(name)).update('\n')
  return hash.digest('hex')
}
