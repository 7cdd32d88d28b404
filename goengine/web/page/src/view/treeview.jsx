import {moveOf} from '../rules.js'

const [STEP, ROW] = [18, 16]
const [BEFORE, AFTER, ROWS] = [8, 16, 4] // shown around the present node

let known = {tree: null, version: -1, places: null}

// Where each node stands: [depth, row]. Further variations get rows of their own.
function layout(tree) {
  if (known.tree === tree && known.version === tree.version) return known.places
  const places = new Map()
  const waiting = [[tree.root, 0, null]]
  let rows = 0
  while (waiting.length > 0) {
    const [node, depth, given] = waiting.pop()
    const row = given ?? rows++
    places.set(node, [depth, row])
    for (let i = node.children.length - 1; i >= 0; i--) waiting.push([node.children[i], depth + 1, i === 0 ? row : null])
  }
  known = {tree, version: tree.version, places}
  return places
}

export function TreeView({model}) {
  const places = layout(model.tree)
  const [depth, row] = places.get(model.node) ?? [0, 0]
  const left = Math.max(0, depth - BEFORE)
  const top = Math.max(0, row - ROWS)
  const shown = nearby(model.node, places, left, top)
  if (places.size < 2) return null
  const at = node => {
    const [d, r] = places.get(node)
    return [(d - left + 0.5) * STEP, (r - top + 0.5) * ROW]
  }
  const height = Math.max(1, ...shown.map(node => places.get(node)[1] - top + 1)) * ROW
  return (
    <div class="panel tree">
      <svg viewBox={`0 0 ${(BEFORE + AFTER + 1) * STEP} ${height}`} role="group" aria-label="Variations">
        {shown.filter(node => node.parent).map(node => {
          const [[x1, y1], [x2, y2]] = [at(node.parent), at(node)]
          return <path key={node.id} d={`M${x1} ${y1}V${y2}H${x2}`} />
        })}
        {shown.map(node => {
          const [x, y] = at(node)
          const kind = `${moveOf(node) ?? 'none'} ${node === model.node ? 'here' : ''} ${'C' in node.data ? 'noted' : ''}`
          return <circle key={node.id} class={kind} cx={x} cy={y} r="5" onClick={() => model.go(node)} />
        })}
      </svg>
    </div>
  )
}

// The nodes in the window, found from an ancestor at its left end.
function nearby(node, places, left, top) {
  let start = node
  while (start.parent && places.get(start)?.[0] > left) start = start.parent
  const found = []
  const waiting = [start]
  while (waiting.length > 0) {
    const next = waiting.pop()
    const [depth, row] = places.get(next) ?? [Infinity, 0]
    if (depth > left + BEFORE + AFTER || row > top + 2 * ROWS + 4) continue
    if (row >= top || next.children.length > 0) found.push(next)
    waiting.push(...next.children.slice(0, 40))
  }
  return found.filter(n => places.get(n)[1] >= top)
}
