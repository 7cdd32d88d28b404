// A game under way: who plays which colour, the clock, the end and the count.

import {start, spend} from './clock.js'
import {NAME, OTHER, fromGtp, moveOf, toGtp, vertexOf} from './rules.js'
import {escaped} from './sgf.js'

export class Play {
  constructor(model) {
    this.model = model
    this.game = null // {B, W: {kind, net, level, rank, visits, time, name}, clock, left: {B, W}, paused}
    this.head = null // where the next move is played
    this.over = '' // how the last game ended
    this._since = null // when the person to move began to think
    this._before = 0 // seconds of this turn before a reload
    this.count = null // {dead: [...], result, ...} when both have passed, until it is agreed
    this._asked = null
    setInterval(() => this._tick(), 250)
  }

  get active() {
    return this.game !== null && !this.counting
  }

  get counting() {
    return this.count !== null
  }

  get color() {
    return this.model.boards.toPlay(this.head)
  }

  get player() {
    return this.game[this.color]
  }

  get thinking() {
    return this._asked !== null
  }

  // Seconds that the player to move has taken so far.
  get taken() {
    return this._since === null ? this._before : this._before + (performance.now() - this._since) / 1000
  }

  begin(options, node) {
    this.stop()
    this.game = {
      B: options.black, W: options.white, clock: options.clock, paused: false,
      left: {B: start(options.clock), W: start(options.clock)}
    }
    this.head = node
    this.over = ''
    this.model.say(`A game begins. ${NAME[this.color]} to play.`)
    this._turn()
  }

  // Leave the game; the tree stays.
  stop() {
    this._forgetMove()
    if (this._counted) this.model.live?.cancel(this._counted)
    this.game = this.count = this.head = this._counted = null
  }

  _forgetMove() {
    if (this._asked) this.model.live?.cancel(this._asked)
    this._asked = null
    this._since = null
    this._before = 0
  }

  // -- turns --

  _turn(before = 0) {
    this._forgetMove()
    this._before = before
    this.model.changed()
    if (this._passedOut()) {
      this.askCount()
      return
    }
    if (this.game.paused) return
    if (this.player.kind === 'engine') this._askMove()
    else this._since = performance.now()
  }

  _passedOut() {
    const {size} = this.model
    const isPass = node => node && moveOf(node) && vertexOf(node, size) === null
    return isPass(this.head) && isPass(this.head.parent)
  }

  _askMove() {
    const {model, player, color, head} = this
    const {clock} = this.game
    const left = this.game.left[color]
    const timed = clock.kind === 'none' ? {} : {
      ...clock, left_main: left.main, left_period: left.period ?? 0, left_stones: left.stones ?? 1
    }
    this._asked = model.live.ask({
      type: 'move', game: model.boards.gameAt(head), color, net: player.net, level: player.level, rank: player.rank ?? '',
      visits: player.visits ?? null, time: player.time ?? null, clock: timed
    }, answer => {
      this._asked = null
      if (answer.type === 'error') {
        this.game.paused = true
        model.fail(`The engine cannot move: ${answer.error}`)
      } else {
        this._engineMoved(color, answer)
      }
    })
    model.changed()
  }

  _engineMoved(color, answer) {
    const {model} = this
    const known = model.analysis.reports.get(this.head)
    if (!known || known.visits < answer.visits) {
      model.analysis.reports.set(this.head, {winrate: answer.winrate, lead: answer.lead, visits: answer.visits})
    }
    if (answer.move === 'resign') this._end(`${OTHER[color]}+R`, `${NAME[color]} resigns. ${NAME[OTHER[color]]} wins.`)
    else this._moved(color, fromGtp(answer.move, model.size) ?? null, answer.seconds)
  }

  // A person's move, or null for a pass.
  person(vertex) {
    const {model, color} = this
    if (this.player.kind === 'engine') {
      model.fail('The engine is to play.')
      return
    }
    if (model.node !== this.head) {
      model.fail('This is an earlier position: go to the last move to play on, or take moves back.')
      return
    }
    const reason = model.boards.whyIllegal(this.head, color, vertex, model.rules)
    if (reason) model.fail(`${toGtp(vertex, model.size)}: ${reason}.`)
    else this._moved(color, vertex, this.taken)
  }

  _moved(color, vertex, seconds) {
    const {model} = this
    const left = spend(this.game.clock, this.game.left[color], seconds)
    if (left === null) {
      this._outOfTime(color)
      return
    }
    this.game.left[color] = left
    const follow = model.node === this.head
    this.head = model.append(this.head, color, vertex)
    if (follow) model.go(this.head)
    else model.announce(this.head)
    this._turn()
  }

  _tick() {
    if (!this.active || this._since === null || this.game.clock.kind === 'none') return
    if (spend(this.game.clock, this.game.left[this.color], this.taken) === null) this._outOfTime(this.color)
  }

  _outOfTime(color) {
    this._end(`${OTHER[color]}+T`, `${NAME[color]}'s time is up. ${NAME[OTHER[color]]} wins.`)
  }

  resign() {
    const color = this.player.kind === 'person' ? this.color : OTHER[this.color]
    this._end(`${OTHER[color]}+R`, `${NAME[color]} resigns. ${NAME[OTHER[color]]} wins.`)
  }

  // Take back the last move of a person and what came after it; where two engines play, the last move.
  undo() {
    const {model} = this
    const people = ['B', 'W'].filter(color => this.game[color].kind === 'person')
    let node = this.head
    while (node.parent && moveOf(node)) {
      const color = moveOf(node)
      model.tree.remove(node)
      node = node.parent
      if (people.length === 0 || people.includes(color)) break
    }
    if (node === this.head) {
      model.fail('There is nothing to take back.')
      return
    }
    if (people.length === 0) this.game.paused = true
    this.head = node
    model.go(node, true)
    model.say('Taken back.')
    this._turn()
  }

  pause(paused = !this.game.paused) {
    this.game.paused = paused
    this._turn(this.taken)
  }

  // -- the end --

  askCount(dead = null) {
    const {model} = this
    if (!this.game) this.game = freeGame()
    this.head ??= model.node
    this.count ??= {dead: [], result: ''}
    const message = {type: 'count', game: model.boards.gameAt(this.head), net: model.settings.net, dead}
    if (this._counted) model.live.cancel(this._counted)
    this._counted = model.live.ask(message, answer => {
      this._counted = null
      if (answer.type === 'error') {
        model.fail(`The game cannot be counted: ${answer.error}`)
        return
      }
      this.count = answer
      model.say(`${verdict(answer.result)} Dead stones: ${answer.dead.join(', ') || 'none'}.`)
      model.changed()
    })
    model.go(this.head, true)
    model.changed()
  }

  // Mark a chain as dead or alive.
  toggleDead(vertex) {
    const {model} = this
    const board = model.boards.at(this.head)
    if (!vertex || board.get(vertex) === 0) return
    const chain = board.getChain(vertex).map(v => toGtp(v, model.size))
    const dead = new Set(this.count.dead)
    const add = !dead.has(toGtp(vertex, model.size))
    for (const point of chain) {
      if (add) dead.add(point)
      else dead.delete(point)
    }
    this.count = {...this.count, dead: [...dead]}
    this.askCount([...dead])
  }

  agree() {
    const {result} = this.count
    this._end(result, verdict(result))
  }

  // The stones are not agreed on: the game goes on.
  resume() {
    this.count = null
    if (this.game.free) {
      this.stop()
      this.model.changed()
      return
    }
    let node = this.head
    while (node.parent && moveOf(node) && vertexOf(node, this.model.size) === null) {
      this.model.tree.remove(node)
      node = node.parent
    }
    this.head = node
    this.model.go(node, true)
    this._turn()
  }

  _end(result, text) {
    const {model} = this
    model.tree.set(model.tree.root, 'RE', [escaped(result)])
    this.stop()
    this.over = text
    model.say(text)
    model.changed()
  }

  // -- keeping --

  keep(place) {
    if (!this.game) return null
    return {...this.game, head: place.get(this.head), taken: this.taken, count: this.count}
  }

  restore(kept, order) {
    if (!kept) return
    const {head, taken, count, ...game} = kept
    this.game = game
    this.head = order[head]
    this.count = count
    setTimeout(() => (count ? this.askCount(count.result ? count.dead : null) : this._turn(taken)), 0)
  }
}

// What stands for a game where somebody counts a position without one.
const freeGame = () => ({
  B: {kind: 'person'}, W: {kind: 'person'}, clock: {kind: 'none'}, left: {B: {}, W: {}}, paused: true, free: true
})

export function verdict(result) {
  if (result === '0') return 'The game is drawn.'
  const [color, margin] = result.split('+')
  return `${NAME[color]} wins by ${margin} points.`
}
