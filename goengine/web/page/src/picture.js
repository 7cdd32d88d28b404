// A picture of a board: the server reads it, the page shows what was read, people correct it.

import {Boards} from './rules.js'
import {Tree} from './tree.js'

const MOST_BYTES = 4_500_000 // that are sent as they are; larger pictures are made smaller first
const LONGEST = 2400 // pixels of the longer side of what is made smaller
const SUFFIX = /\.(png|jpe?g|webp|gif|bmp)$/i
const LETTERS = 'abcdefghijklmnopqrstuvwxy'

export const isPicture = file => file.type.startsWith('image/') || SUFFIX.test(file.name ?? '')

// What the server reads in a file: {url, width, height, boards}. Throws an Error that says why there is nothing.
export async function readPicture(file) {
  const body = file.size > MOST_BYTES ? await smaller(file) : file
  const response = await fetch('/picture', {method: 'POST', body})
  const answer = await response.json().catch(() => ({error: `The server answered ${response.status}.`}))
  if (!response.ok) throw new Error(answer.error)
  return {...answer, url: URL.createObjectURL(body)}
}

async function smaller(file) {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(bitmap.width * scale)
  canvas.height = Math.round(bitmap.height * scale)
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) => {
    canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error('the browser cannot read it'))), 'image/jpeg', 0.92)
  })
}

// A board of an answer as it is corrected: signs of all points (1 Black, -1 White), whose turn it is.
export function correctable(board) {
  const signs = Array.from({length: board.size}, () => Array(board.size).fill(0))
  const {row, column} = start(board)
  board.stones.forEach((line, y) => [...line].forEach((letter, x) => {
    signs[row + y][column + x] = {X: 1, O: -1}[letter] ?? 0
  }))
  return {signs, toPlay: board.to_play === 'white' ? 'W' : 'B'}
}

// Where on its board what is shown begins.
export function start(board) {
  return {row: board.size - Number(board.top_left.slice(1)), column: 'ABCDEFGHJKLMNOPQRSTUVWXYZ'.indexOf(board.top_left[0])}
}

// Empty, black, white, empty.
export const nextSign = sign => ({0: 1, 1: -1, [-1]: 0})[sign]

// Points of the picture where the crossings lie: {x, y, row, column, step}, by the square that the corners are seen as.
export function crossings({corners, rows, columns}) {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners
  const [dx1, dx2, dx3] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3]
  const [dy1, dy2, dy3] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3]
  const below = dx1 * dy2 - dx2 * dy1 || 1e-9
  const g = (dx3 * dy2 - dx2 * dy3) / below
  const h = (dx1 * dy3 - dx3 * dy1) / below
  const step = Math.hypot(x1 - x0, y1 - y0) / (columns - 1)
  const found = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [u, v] = [column / (columns - 1), row / (rows - 1)]
      const depth = g * u + h * v + 1
      const x = ((x1 - x0 + g * x1) * u + (x3 - x0 + h * x3) * v + x0) / depth
      const y = ((y1 - y0 + g * y1) * u + (y3 - y0 + h * y3) * v + y0) / depth
      found.push({x, y, row, column, step})
    }
  }
  return found
}

// A game that begins with a corrected board. Throws an Error where stones have no liberty.
export function treeOf(board, {signs, toPlay}, rules, komi) {
  const points = sign => signs.flatMap((line, y) => line.flatMap((other, x) => (other === sign ? [LETTERS[x] + LETTERS[y]] : [])))
  const tree = new Tree({
    GM: ['1'], FF: ['4'], CA: ['UTF-8'], AP: ['goengine'], SZ: [String(board.size)], RU: [rules], KM: [String(komi)]
  })
  for (const [name, sign] of [['AB', 1], ['AW', -1]]) {
    const values = points(sign)
    if (values.length > 0) tree.set(tree.root, name, values)
  }
  tree.set(tree.root, 'PL', [toPlay])
  const standing = new Boards(tree).at(tree.root)
  signs.forEach((line, y) => line.forEach((sign, x) => {
    if (sign !== 0 && !standing.hasLiberties([x, y])) throw new Error('Some stones have no liberty: correct them first.')
  }))
  return tree
}
