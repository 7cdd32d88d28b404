// SGF text to trees and back. Values are kept as they stand in the file, escapes included, so that what is read is written
// unchanged. No function here calls itself: files may nest variations as deep as they like.

import {escapeString, tokenizeIter, unescapeString} from '@sabaki/sgf'
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
  const start = text.indexOf('(')
  if (start < 0) throw new Error('no game of SGF is in this file')
  const games = []
  const open = [] // the node before each open parenthesis
  let tree = null
  let node = null
  let values = null
  for (const token of tokenizeIter(text.slice(start))) {
    const {type, value} = token
    if (type === 'parenthesis' && value === '(') {
      if (open.length === 0) tree = null
      open.push(node)
      values = null
    } else if (type === 'parenthesis') {
      if (open.length === 0) throw new Error(`line ${token.row + 1}: a parenthesis is closed that was not opened`)
      node = open.pop()
      values = null
      if (open.length === 0) node = null
    } else if (type === 'semicolon') {
      if (open.length === 0) throw new Error(`line ${token.row + 1}: a node outside of a game`)
      if (tree === null) {
        tree = new Tree()
        games.push(tree)
        node = tree.root
      } else {
        node = tree.append(node, {})
      }
      values = null
    } else if (type === 'prop_ident') {
      if (node === null) throw new Error(`line ${token.row + 1}: a property outside of a node`)
      const name = value.replace(/[a-z]/g, '') // FF[3] let small letters stand between the capital ones
      values = name === '' ? null : (node.data[name] ??= [])
    } else if (type === 'c_value_type') {
      if (values) values.push(value.slice(1, -1))
    } else if (open.length > 0) {
      throw new Error(`line ${token.row + 1}: '${String(value).slice(0, 20)}' is no SGF`)
    } else {
      break // what some programs write after the last game
    }
  }
  if (games.length === 0) throw new Error('no game of SGF is in this file')
  return games
}

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
