// A review in the game's tree, as `goengine review` writes it into a file. What is written comes from the server; where a person
// has judged a move, marked a turn or put labels there is none of it, and an earlier review is taken out first.

// positions: the nodes by the number of their move, 0 for the beginning.
export function writeReview(tree, positions, written) {
  const line = new Set(positions)
  for (const node of positions) takeOut(tree, node, line, written)
  for (const note of written.notes) writeNote(tree, positions[note.turn], note, written)
  for (const {turn, nodes} of written.lines) {
    const before = positions[turn].parent
    const mark = before.children.length === 1 ? 'variation wrapped' : 'variation'
    let last = before
    for (const [index, node] of nodes.entries()) {
      const data = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, [value]]))
      last = tree.append(last, index === 0 ? {...data, [written.mark]: [mark]} : data)
    }
  }
}

function writeNote(tree, node, note, {mark, judged}) {
  const added = {
    ...note.values,
    ...(judged.some(name => name in node.data) ? {} : note.judgement),
    ...('HO' in node.data ? {} : note.hotspot),
    ...('LB' in node.data ? {} : note.labels)
  }
  const own = node.data.C?.[0]
  if (note.comment && own !== undefined) tree.set(node, 'C', [own ? `${own}\n\n${note.comment}` : note.comment])
  else if (note.comment) added.C = note.comment
  for (const name in added) tree.set(node, name, [added[name]])
  tree.set(node, mark, [Object.keys(added).join(' ')])
}

// What an earlier review has written into a node and below it.
function takeOut(tree, node, line, {mark, prefix, ours}) {
  for (const child of node.children.slice(1)) {
    if (!line.has(child) && marksOf(child, mark)?.includes('variation')) tree.remove(child)
  }
  const marks = marksOf(node, mark)
  if (!marks) return
  for (const name of marks) {
    if (name !== 'C' && ours.includes(name)) tree.set(node, name, [])
  }
  const comment = node.data.C?.[0]
  if (comment !== undefined) {
    const kept = comment.replace(new RegExp(`(?:\\r?\\n){0,2}(?<![^\\r\\n])${prefix}[^\\r\\n]*`, 'g'), '')
    tree.set(node, 'C', marks.includes('C') && !kept.trim() ? [] : [kept])
  }
  tree.set(node, mark, [])
}

const marksOf = (node, mark) => node.data[mark]?.[0]?.split(/\s+/)
