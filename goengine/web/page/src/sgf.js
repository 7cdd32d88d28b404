// SGF text to trees and back. Values are kept as they stand in the file, escapes included, so that what is read is written
// unchanged. No function here calls itself: files may nest variations as deep as they like.

import {escapeString, unescapeString} from '@sabaki/sgf/src/helper.js'
import {Tree} from './tree.js'

export const MAX_BYTES = 5_000_000

// The text of a file: UTF-8, else the encoding that its CA names, else Latin letters.
export function decode(bytes) {
  try {
    return {text: new TextDecoder('utf-8', {fatal: true}).decode(bytes), foreign: false}
  } catch {
    const named = /CA\s*\[([^\]]{1,40})\]/.exec(new TextDecoder('windows-1252').decode(bytes.subarray(0, 4096)))
    let decoder = new TextDecoder('windows-1252')
    try {
      if (named) decoder = new TextDecoder(named[1].trim())
    } catch {
      // a name that no browser knows
    }
    return {text: decoder.decode(bytes), foreign: true}
  }
}

// All games of a text, as trees. Throws an Error that says where the text is no SGF.
export function parse(text) {
  const games = []
  const open = [] // the node before each open parenthesis
  let tree = null
  let node = null
  let values = null
  for (const [kind, value, place] of scan(text)) {
    if (open.length === 0 && kind !== '(') {
      if (games.length > 0) break // what some programs write after the last game
      throw new Error(`line ${lineOf(text, place)}: '${kind}' stands outside of a game`)
    }
    if (kind === '(') {
      if (open.length === 0) tree = null
      open.push(node)
      values = null
    } else if (kind === ')') {
      node = open.pop()
      values = null
    } else if (kind === ';') {
      if (tree === null) games.push((tree = new Tree()))
      node = node === null ? tree.root : tree.append(node, {})
      values = null
    } else if (node === null) {
      throw new Error(`line ${lineOf(text, place)}: '${value.slice(0, 20)}' stands before the first node`)
    } else if (kind === 'name') {
      const name = value.replace(/[a-z]/g, '') // FF[3] let small letters stand between the capital ones
      values = name === '' ? null : (node.data[name] ??= [])
    } else if (kind === 'value') {
      values?.push(value)
    } else {
      throw new Error(`line ${lineOf(text, place)}: '${kind}' is no SGF`)
    }
  }
  if (games.length === 0) throw new Error('no game of SGF is in this file')
  return games
}

// The pieces of a text from the first parenthesis on: [kind, text, place]. A value may be as long as the file, which is too
// much for the regular expression of @sabaki/sgf.
function* scan(text) {
  const name = /[A-Za-z]+/y
  const start = text.indexOf('(')
  if (start < 0) throw new Error('no game of SGF is in this file')
  for (let place = start; place < text.length; place++) {
    const letter = text[place]
    if (/\s/.test(letter)) continue
    name.lastIndex = place
    const found = name.exec(text)?.[0]
    if (letter === '(' || letter === ')' || letter === ';') {
      yield [letter, letter, place]
    } else if (letter === '[') {
      const end = endOfValue(text, place + 1)
      yield ['value', text.slice(place + 1, end), place]
      place = end
    } else if (found) {
      yield ['name', found, place]
      place += found.length - 1
    } else {
      yield [letter, letter, place]
    }
  }
}

function endOfValue(text, start) {
  let place = start
  while (place < text.length && text[place] !== ']') place += text[place] === '\\' ? 2 : 1
  return Math.min(place, text.length)
}

const lineOf = (text, place) => text.slice(0, place).split('\n').length

// The text of a tree, and its nodes in the order in which the text has them.
export function stringify(tree) {
  const parts = ['(']
  const order = []
  const waiting = [tree.root] // nodes, and texts between them
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'string') {
      parts.push(next)
      continue
    }
    order.push(next)
    parts.push(nodeText(next))
    const {children} = next
    if (children.length === 1) waiting.push(children[0])
    else for (let i = children.length - 1; i >= 0; i--) waiting.push(')', children[i], '\n(')
  }
  parts.push(')\n')
  return {text: parts.join(''), order}
}

function nodeText(node) {
  let text = ';'
  for (const name in node.data) text += `${name}[${node.data[name].join('][')}]`
  return text.length > 40 ? text + '\n' : text
}

export const plain = value => unescapeString(value ?? '')
export const escaped = text => escapeString(text)
