// Boards along a tree: what stands there, whose turn it is, what is legal, and what the engine is told of a position.

import GoBoard from '@sabaki/go-board'
import {parseCompressedVertices, parseVertex, stringifyVertex} from '@sabaki/sgf/src/helper.js'
import {plain} from './sgf.js'
import {pathTo} from './tree.js'

const MOST_CACHED = 3000
const MOST_MOVES = 3000 // that the engine is told; of a longer game it is told the stones before them
const SIGN = {B: 1, W: -1}
export const OTHER = {B: 'W', W: 'B'}
export const NAME = {B: 'Black', W: 'White'}

export const moveOf = node => ('B' in node.data ? 'B' : 'W' in node.data ? 'W' : null)
const isSetup = node => 'AB' in node.data || 'AW' in node.data || 'AE' in node.data

export function sizeOf(tree) {
  const value = plain(tree.root.data.SZ?.[0]).trim()
  const size = value === '' ? 19 : Number(value.split(':')[0])
  const other = value.includes(':') ? Number(value.split(':')[1]) : size
  if (!Number.isInteger(size) || size < 2 || size > 25 || size !== other) {
    throw new Error(`boards of size ${value.slice(0, 10)} cannot be shown: square ones from 2 to 25 can`)
  }
  return size
}

// The vertex [x, y] of a move; null is a pass.
export function vertexOf(node, size) {
  const color = moveOf(node)
  const value = plain(node.data[color]?.[0]).trim()
  if (value === '' || (value === 'tt' && size <= 19)) return null
  const [x, y] = parseVertex(value)
  return x >= 0 && x < size && y >= 0 && y < size ? [x, y] : null
}

export const toSgf = vertex => (vertex ? stringifyVertex(vertex) : '')

const COLUMNS = 'ABCDEFGHJKLMNOPQRSTUVWXYZ'

export function toGtp(vertex, size) {
  return vertex ? COLUMNS[vertex[0]] + (size - vertex[1]) : 'pass'
}

// [x, y] of a text such as D4, null of pass; undefined where it is neither.
export function fromGtp(text, size) {
  if (/^pass$/i.test(text.trim())) return null
  const match = /^([A-HJ-Z])(\d{1,2})$/i.exec(text.trim())
  if (!match) return undefined
  const vertex = [COLUMNS.indexOf(match[1].toUpperCase()), size - Number(match[2])]
  return vertex.every(n => n >= 0 && n < size) ? vertex : undefined
}

export class Boards {
  constructor(tree) {
    this.tree = tree
    this.size = sizeOf(tree)
    this._cache = new Map()
    this._version = tree.setupVersion
  }

  at(node) {
    if (this._version !== this.tree.setupVersion) this._cache.clear()
    this._version = this.tree.setupVersion
    const missing = []
    let above = node
    while (above && !this._cache.has(above.id)) {
      missing.push(above)
      above = above.parent
    }
    let board = above ? this._cache.get(above.id) : GoBoard.fromDimensions(this.size)
    for (const below of missing.reverse()) {
      board = this._after(board, below)
      this._cache.set(below.id, board)
      if (this._cache.size > MOST_CACHED) this._cache.delete(this._cache.keys().next().value)
    }
    return board
  }

  _after(board, node) {
    const color = moveOf(node)
    const vertex = color && vertexOf(node, this.size)
    const after = vertex ? board.makeMove(SIGN[color], vertex) : board.clone()
    if (!vertex) after._koInfo = {sign: 0, vertex: [-1, -1]}
    for (const [name, sign] of [['AE', 0], ['AB', 1], ['AW', -1]]) {
      for (const value of node.data[name] ?? []) {
        for (const point of parseCompressedVertices(plain(value).trim())) after.set(point, sign)
      }
    }
    return after
  }

  toPlay(node) {
    for (let above = node; above; above = above.parent) {
      const named = plain(above.data.PL?.[0]).trim().toUpperCase()
      if (named === 'B' || named === 'W') return named
      const color = moveOf(above)
      if (color) return OTHER[color]
    }
    const {AB, AW} = this.tree.root.data
    return AB && AB.length > 1 && !AW ? 'W' : 'B'
  }

  // Why a move cannot be played, or an empty text. rules: {ko, suicide} of the game.
  whyIllegal(node, color, vertex, rules) {
    if (!vertex) return ''
    const board = this.at(node)
    const found = board.analyzeMove(SIGN[color], vertex)
    if (found.overwrite) return 'there is a stone'
    if (found.ko) return 'that would take back the ko at once'
    if (found.suicide && (!rules.suicide || !this._hasNeighbour(board, color, vertex))) return 'that would be suicide'
    if (rules.ko !== 'simple' && this._repeats(node, color, vertex, rules)) return 'that would repeat a position'
    return ''
  }

  _hasNeighbour(board, color, vertex) {
    return board.getNeighbors(vertex).some(v => board.get(v) === SIGN[color])
  }

  _repeats(node, color, vertex, rules) {
    const after = String(this.at(node).makeMove(SIGN[color], vertex).signMap)
    return pathTo(node).some(above => {
      if (rules.ko === 'situational' && this.toPlay(above) !== OTHER[color]) return false
      return String(this.at(above).signMap) === after
    })
  }

  // What the engine is told: the stones of the last set-up on the way to a node, and the moves since.
  gameAt(node) {
    const path = pathTo(node)
    let start = path.length - 1
    while (start > 0 && !isSetup(path[start]) && !('PL' in path[start].data)) start--
    if (path.length - start > MOST_MOVES) start = path.length - MOST_MOVES
    const base = path[start]
    const board = this.at(base)
    const stones = {black: [], white: []}
    board.signMap.forEach((row, y) =>
      row.forEach((sign, x) => sign && stones[sign > 0 ? 'black' : 'white'].push(toGtp([x, y], this.size)))
    )
    const later = path.slice(start + 1).filter(moveOf)
    const root = this.tree.root.data
    const handicap = Math.trunc(Number(plain(root.HA?.[0]))) || 0
    const komi = Number(plain(root.KM?.[0]).replace(',', '.').trim())
    return {
      size: this.size,
      rules: plain(root.RU?.[0]).slice(0, 100),
      komi: Number.isFinite(komi) && Math.abs(komi) <= 1000 ? komi : 0,
      handicap: handicap >= 2 && handicap <= this.size ** 2 ? handicap : 0,
      ...stones,
      first: 'PL' in base.data || later.length === 0 ? this.toPlay(base) : moveOf(later[0]),
      moves: later.map(n => [moveOf(n), toGtp(vertexOf(n, this.size), this.size)])
    }
  }
}
