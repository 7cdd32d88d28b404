import {useEffect, useReducer} from 'preact/hooks'
import {shown} from '../clock.js'
import {NAME} from '../rules.js'
import {plain} from '../sgf.js'

// Both players: name, prisoners, time.
export function Clocks({model}) {
  const {play} = model
  const [, tick] = useReducer(count => count + 1, 0)
  const timed = play.active && play.game.clock.kind !== 'none'
  useEffect(() => {
    if (!timed) return undefined
    const timer = setInterval(tick, 250)
    return () => clearInterval(timer)
  }, [timed])
  return (
    <div class="panel players">
      {['B', 'W'].map(color => <Player key={color} model={model} color={color} />)}
    </div>
  )
}

function Player({model, color}) {
  const {play} = model
  const board = model.boards.at(model.node)
  const turn = play.active ? play.color : model.boards.toPlay(model.node)
  const name = plain(model.tree.root.data[`P${color}`]?.[0]) || NAME[color]
  const taken = play.active && play.color === color ? play.taken : 0
  const time = play.active ? shown(play.game.clock, play.game.left[color], taken) : ''
  return (
    <div class={`player ${turn === color ? 'turn' : ''}`}>
      <span class={`stone ${color}`} aria-hidden="true" />
      <span class="name">{name}</span>
      <span class="facts">{board.getCaptures(color === 'B' ? 1 : -1)} captured</span>
      {time && <span class="time" role="timer" aria-label={`${NAME[color]}'s time`}>{time}</span>}
    </div>
  )
}
