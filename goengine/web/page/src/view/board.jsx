import {Goban} from '@sabaki/shudan'
import {useEffect, useReducer, useRef, useState} from 'preact/hooks'
import {parseCompressedVertices, parseVertex} from '@sabaki/sgf/src/helper.js'
import {NAME, fromGtp, moveOf, vertexOf} from '../rules.js'
import {plain} from '../sgf.js'

const MARKS = {TR: 'triangle', SQ: 'square', CR: 'circle', MA: 'cross'}

export function BoardView({model, line, show}) {
  const place = useRef()
  const width = useWidth(place)
  const {size, node, settings, play} = model
  const board = model.boards.at(node)
  const report = model.analysis.on ? model.analysis.report : null
  const marks = markers(model)
  const color = model.boards.toPlay(node)
  const signMap = line ? withLine(model, line, marks) : board.signMap
  const room = Math.max(160, Math.min(width, window.innerHeight - 210))
  const vertexSize = Math.floor(room / (size + (settings.coordinates ? 2.4 : 0.8)))
  const dead = play.counting ? play.count.dead : []
  return (
    <div
      ref={place} class="board" role="img"
      aria-label={`Board of ${size} by ${size}, ${NAME[color]} to play. Moves can be typed in the field below.`}
    >
      <Goban
        vertexSize={vertexSize} signMap={signMap} showCoordinates={settings.coordinates} markerMap={marks}
        dimmedVertices={dead.map(text => fromGtp(text, size))}
        paintMap={paint(model, report, dead, board)} heatMap={line ? undefined : heat(model, report, color)}
        onVertexMouseUp={(event, vertex) => event.button === 0 && model.click(vertex)}
        onVertexMouseEnter={(event, vertex) => show(lineAt(model, report, vertex))}
        onVertexMouseLeave={() => show(null)}
      />
    </div>
  )
}

function useWidth(place) {
  const [width, set] = useState(400)
  const [, redraw] = useReducer(count => count + 1, 0)
  useEffect(() => {
    const observer = new ResizeObserver(entries => set(entries[0].contentRect.width))
    observer.observe(place.current)
    addEventListener('resize', redraw)
    return () => {
      observer.disconnect()
      removeEventListener('resize', redraw)
    }
  }, [])
  return width
}

const empty = (size, value) => Array.from({length: size}, () => Array(size).fill(value))

function markers(model) {
  const {size, node} = model
  const map = empty(size, null)
  const vertex = moveOf(node) && vertexOf(node, size)
  if (vertex) map[vertex[1]][vertex[0]] = {type: 'point'}
  const put = ([x, y], mark) => {
    if (map[y] && x >= 0 && x < size) map[y][x] = mark
  }
  for (const [name, type] of Object.entries(MARKS)) {
    for (const value of node.data[name] ?? []) {
      for (const point of parseCompressedVertices(plain(value))) put(point, {type})
    }
  }
  for (const value of node.data.LB ?? []) {
    const [point, ...label] = plain(value).split(':')
    put(parseVertex(point), {type: 'label', label: label.join(':')})
  }
  return map
}

// The board after a line of play, its stones numbered.
function withLine(model, line, marks) {
  let board = model.boards.at(model.node)
  let sign = model.boards.toPlay(model.node) === 'B' ? 1 : -1
  line.forEach((text, index) => {
    const vertex = fromGtp(text, model.size)
    if (vertex && board.get(vertex) === 0) {
      board = board.makeMove(sign, vertex)
      marks[vertex[1]][vertex[0]] = {type: 'label', label: String(index + 1)}
    }
    sign = -sign
  })
  return board.signMap
}

function lineAt(model, report, vertex) {
  if (!report?.moves || !model.settings.candidates) return null
  const found = report.moves.find(move => String(fromGtp(move.move, model.size)) === String(vertex))
  return found ? found.pv : null
}

// Owners of points, for Shudan: 1 Black's, -1 White's.
function paint(model, report, dead, board) {
  const {size} = model
  if (model.play.counting) return paintDead(size, dead, board)
  if (!model.settings.ownership || !report?.ownership) return undefined
  return Array.from({length: size}, (_, y) => report.ownership.slice(y * size, (y + 1) * size).map(
    owner => (Math.abs(owner) < 10 ? 0 : owner / 100)
  ))
}

// Territory of a count: empty regions that touch stones of one colour alone, dead stones taken off.
function paintDead(size, dead, board) {
  const left = board.clone()
  for (const text of dead) left.set(fromGtp(text, size), 0)
  const map = empty(size, 0)
  const seen = empty(size, false)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (seen[y][x] || left.get([x, y]) !== 0) continue
      const region = left.getChain([x, y])
      const owners = new Set(region.flatMap(v => left.getNeighbors(v).map(n => left.get(n))).filter(sign => sign !== 0))
      const owner = owners.size === 1 ? [...owners][0] : 0
      for (const [a, b] of region) [seen[b][a], map[b][a]] = [true, owner]
    }
  }
  return map
}

const short = count => (count < 1000 ? String(count) : `${(count / 1000).toFixed(1)}k`)

function heat(model, report, color) {
  const {size, settings} = model
  if (!report || model.play.counting) return undefined
  const map = empty(size, null)
  if (settings.policy && report.policy) {
    report.policy.slice(0, size * size).forEach((share, index) => {
      if (share < 5) return
      const text = share >= 10 ? `${Math.round(share / 10)}` : ''
      map[Math.floor(index / size)][index % size] = {strength: Math.max(1, Math.round(9 * Math.sqrt(share / 1000))), text}
    })
  } else if (settings.candidates && report.moves?.length) {
    const most = report.moves[0].visits
    report.moves.forEach((move, order) => {
      const vertex = fromGtp(move.move, size)
      if (!vertex) return
      const strength = order === 0 ? 9 : Math.max(1, Math.min(8, Math.round(8 * Math.sqrt(move.visits / most))))
      map[vertex[1]][vertex[0]] = {strength, text: candidateText(move, color)}
    })
  }
  return map
}

function candidateText(move, color) {
  const won = color === 'B' ? move.winrate : 1 - move.winrate
  const lead = color === 'B' ? move.lead : -move.lead
  return `${(100 * won).toFixed(0)}%\n${lead >= 0 ? '+' : '−'}${Math.abs(lead).toFixed(1)}\n${short(move.visits)}`
}
