import {useState} from 'preact/hooks'
import {NAME, fromGtp, moveOf} from '../rules.js'
import {plain} from '../sgf.js'

export function Controls({model}) {
  const {play} = model
  if (play.counting) return null
  const person = play.active && play.player.kind === 'person'
  const mixed = play.active && (play.game.B.kind === 'person' || play.game.W.kind === 'person')
  return (
    <div class="controls" role="group" aria-label="Moves">
      <Typed model={model} />
      <button onClick={() => model.pass()} disabled={play.active && !person}>Pass</button>
      <button onClick={() => model.undo()}>Undo</button>
      {mixed && <button onClick={() => play.resign()}>Resign</button>}
      {play.active && (!mixed || play.game.paused) && (
        <button onClick={() => play.pause()}>{play.game.paused ? 'Go on' : 'Pause'}</button>
      )}
      {!play.active && <button onClick={() => play.askCount()}>Count</button>}
      {play.active && <button onClick={() => leave(model)}>Leave game</button>}
    </div>
  )
}

function leave(model) {
  model.play.stop()
  model.say('The game is left; its moves stay.')
  model.changed()
}

// A field for moves, for those who cannot point at the board.
function Typed({model}) {
  const [text, set] = useState('')
  const enter = event => {
    event.preventDefault()
    const vertex = fromGtp(text, model.size)
    if (vertex === undefined) {
      model.fail(`'${text}' is no point such as D4.`)
      return
    }
    model.error = ''
    set('')
    if (vertex) model.click(vertex)
    else model.pass()
  }
  return (
    <form class="typed" onSubmit={enter}>
      <label>
        <span>Move</span>
        <input value={text} size="5" maxLength="4" onInput={event => set(event.currentTarget.value)} autocomplete="off" />
      </label>
      <button>Play</button>
    </form>
  )
}

export function Navigation({model}) {
  const number = countMoves(model.node)
  const go = action => () => action(model)
  return (
    <div class="controls" role="group" aria-label="Steps through the game">
      <button aria-label="First position" onClick={go(m => m.go(m.tree.root))}>|‹</button>
      <button aria-label="Ten moves back" onClick={go(m => m.step(-10))}>«</button>
      <button aria-label="Back" onClick={go(m => m.step(-1))}>‹</button>
      <span class="number">Move {number}</span>
      <button aria-label="Forward" onClick={go(m => m.step(1))}>›</button>
      <button aria-label="Ten moves forward" onClick={go(m => m.step(10))}>»</button>
      <button aria-label="Last position" onClick={go(m => m.go(m.line.at(-1)))}>›|</button>
    </div>
  )
}

function countMoves(node) {
  let count = 0
  for (let above = node; above; above = above.parent) count += moveOf(above) ? 1 : 0
  return count
}

const TOOLS = [
  ['play', 'Play'], ['AB', 'Black stone'], ['AW', 'White stone'], ['AE', 'Erase'], ['TR', 'Triangle'], ['SQ', 'Square'],
  ['CR', 'Circle'], ['MA', 'Cross'], ['LB', 'Letter']
]

export function Tools({model}) {
  const choose = event => {
    model.tool = event.currentTarget.value
    model.changed()
  }
  const siblings = model.node.parent?.children.length ?? 0
  const set = (name, text) => {
    model.tree.set(model.tree.root, name, text === '' ? [] : [text])
    model.analysis.refresh()
    model.changed()
  }
  const root = model.tree.root.data
  return (
    <details class="panel">
      <summary>Edit</summary>
      <div class="controls" role="group" aria-label="Edit">
        <label>A click sets <select value={model.tool} onChange={choose}>
          {TOOLS.map(([name, title]) => <option key={name} value={name}>{title}</option>)}
        </select></label>
        <button onClick={() => model.removeNode()} disabled={!model.node.parent || model.play.active}>Delete from here</button>
        <button onClick={() => shift(model)} disabled={siblings < 2}>Variation up</button>
        {model.games?.length > 1 && (
          <label>Game <select
            value={model.games.indexOf(model.tree)} onChange={event => model.chooseGame(Number(event.currentTarget.value))}
          >
            {model.games.map((game, index) => <option key={index} value={index}>{index + 1}</option>)}
          </select></label>
        )}
        {['PB', 'PW', 'KM', 'RU', 'RE'].map(name => (
          <label key={name}>{TITLES[name]} <input
            size="8" value={plain(root[name]?.[0])} onChange={event => set(name, event.currentTarget.value.replace(/[\]\\]/g, ''))}
          /></label>
        ))}
      </div>
    </details>
  )
}

const TITLES = {PB: NAME.B, PW: NAME.W, KM: 'Komi', RU: 'Rules', RE: 'Result'}

function shift(model) {
  model.tree.shift(model.node, -1)
  model.changed()
}
