// A game tree: nodes with properties, as SGF has them. Every change makes `version` another number.
// No function calls itself, so that no depth is too deep.

export class Tree {
  constructor(data = {}) {
    this.root = {id: 0, parent: null, children: [], data}
    this.version = 0
    this.setupVersion = 0 // changes with every edit that may change boards of nodes that exist
    this._next = 1
  }

  append(parent, data) {
    const node = {id: this._next++, parent, children: [], data}
    parent.children.push(node)
    this.version++
    return node
  }

  remove(node) {
    const siblings = node.parent.children
    siblings.splice(siblings.indexOf(node), 1)
    this.version++
  }

  // Replace the values of a property; no values remove it.
  set(node, name, values) {
    if (values.length > 0) node.data[name] = values
    else delete node.data[name]
    this.version++
    if (['AB', 'AW', 'AE', 'PL', 'B', 'W', 'HA'].includes(name)) this.setupVersion++
  }

  // Move a variation by one place, -1 towards the main one.
  shift(node, step) {
    const siblings = node.parent?.children ?? [node]
    const from = siblings.indexOf(node)
    const to = Math.max(0, Math.min(siblings.length - 1, from + step))
    siblings.splice(from, 1)
    siblings.splice(to, 0, node)
    this.version++
  }

  has(node) {
    let above = node
    while (above.parent) {
      if (!above.parent.children.includes(above)) return false
      above = above.parent
    }
    return above === this.root
  }
}

// From the root to a node, both included.
export function pathTo(node) {
  const path = []
  for (let above = node; above; above = above.parent) path.push(above)
  return path.reverse()
}

// The line through a node: from the root, and on along the first variations (or those visited last) to a leaf.
export function lineThrough(node, last = new Map()) {
  const line = pathTo(node)
  for (let below = next(node, last); below; below = next(below, last)) line.push(below)
  return line
}

export function next(node, last = new Map()) {
  const known = last.get(node.id)
  return node.children.includes(known) ? known : node.children[0]
}
