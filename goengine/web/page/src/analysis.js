// What the engine says of positions: live, and of a whole game. Kept by node; texts and colours belong to the views.

import {writeReview} from './notes.js'
import {moveOf} from './rules.js'
import {lineThrough} from './tree.js'

const PAUSE = 120 // milliseconds that a node must stay before it is asked about: keys may step fast

export class Analysis {
  constructor(model) {
    this.model = model
    this.on = false
    this.reports = new Map() // by node
    this.review = null // {done: turns, total} while one runs
    this.mistakes = [] // the worst first
    this.figures = null // by colour and phase
    this.positions = [] // nodes that were reviewed
    this.written = null // what the review writes into them
    this._asked = null
    this._key = ''
  }

  get report() {
    return this.reports.get(this.model.node)
  }

  toggle(on = !this.on) {
    this.on = on
    this.model.say(on ? 'Analysis on.' : 'Analysis off.')
    this.refresh()
    this.model.changed()
  }

  forget() {
    this.stop()
    this.stopReview()
    this.reports.clear()
    this.mistakes = []
    this.figures = null
    this.positions = []
    this.written = null
  }

  stop() {
    clearTimeout(this._timer)
    if (this._asked) this.model.live?.cancel(this._asked)
    this._asked = null
    this._key = ''
  }

  // Ask about the present position, unless that is under way.
  refresh() {
    const {model} = this
    const {net, analysisVisits} = model.settings
    const key = this.on ? `${model.node.id} ${model.tree.setupVersion} ${net} ${analysisVisits}` : ''
    if (key === this._key) return
    this.stop()
    this._key = key
    if (this.on) this._timer = setTimeout(() => this._ask(model.node, net, analysisVisits), PAUSE)
  }

  _ask(node, net, visits) {
    const {model} = this
    const known = this.reports.get(node)
    if (known?.moves && known.visits >= visits && known.net === net && known.version === model.tree.setupVersion) return
    this._asked = model.live.ask({type: 'analyze', game: model.boards.gameAt(node), net, visits}, answer => {
      if (answer.type === 'error') model.error = `Analysis: ${answer.error}`
      else this.reports.set(node, {...answer, net, version: model.tree.setupVersion})
      if (answer.final) this._asked = null
      model.changed()
    })
  }

  // -- a whole game --

  startReview() {
    const {model} = this
    this.stopReview()
    const {net, reviewVisits} = model.settings
    const line = lineThrough(model.node, model.last)
    const game = model.boards.gameAt(line.at(-1))
    const moves = line.filter(moveOf)
    const later = moves.slice(moves.length - game.moves.length) // after the last stones that were set up
    const positions = [later[0]?.parent ?? line.at(-1), ...later]
    this.mistakes = []
    this.figures = null
    this.review = {done: new Set(), total: positions.length}
    this.review.id = model.live.ask({type: 'review', game, net, visits: reviewVisits}, answer => {
      if (answer.type === 'error') {
        model.error = `Review: ${answer.error}`
        this.review = null
      } else if (answer.final) {
        this._endReview(positions, answer)
      } else {
        this._enter(positions, answer)
      }
      model.changed()
    })
    model.say(`Review of ${positions.length} positions.`)
    model.changed()
  }

  stopReview() {
    if (this.review) this.model.live?.cancel(this.review.id)
    this.review = null
  }

  _enter(positions, answer) {
    const node = positions[answer.turn]
    this.review.done.add(answer.turn)
    const known = this.reports.get(node)
    this.reports.set(node, {...(known?.moves ? known : {}), ...answer, reviewed: true})
  }

  _endReview(positions, answer) {
    this.review = null
    this.mistakes = answer.mistakes.map(mistake => ({...mistake, node: positions[mistake.turn]}))
    this.figures = answer.figures
    this.positions = positions
    this.written = answer.written
    this.model.say(`The review is done: ${this.mistakes.length} moves lost something.`)
  }

  // Write what the review found into the game, as `goengine review` does into a file.
  annotate() {
    const {model} = this
    writeReview(model.tree, this.positions, this.written)
    if (!model.tree.has(model.node)) model.go(this.positions[0], true) // it was in a line of an earlier review
    model.say('The review is written into the game.')
    model.changed()
  }

  // -- keeping --

  keep(place) {
    const kept = []
    for (const [node, report] of this.reports) {
      if (place.has(node)) kept.push([place.get(node), report.winrate, report.lead, report.visits])
    }
    return kept
  }

  restore(kept, order, on) {
    this.on = Boolean(on)
    for (const [index, winrate, lead, visits] of kept ?? []) {
      if (order[index]) this.reports.set(order[index], {winrate, lead, visits})
    }
  }
}
