// What the engine says of positions: live, and of a whole game. Kept by node; texts and colours belong to the views.

import {fromGtp, moveOf} from './rules.js'
import {escaped} from './sgf.js'
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
    this.model.say(`The review is done: ${this.mistakes.length} moves lost something.`)
  }

  // Write what the review found into the game: win rates, and a better line at each mistake.
  annotate() {
    const {model} = this
    for (const [node, report] of this.reports) {
      if (report.reviewed) model.tree.set(node, 'SBKV', [(100 * report.winrate).toFixed(2)])
    }
    for (const mistake of this.mistakes) {
      const text = `goengine: ${mistake.text}`
      const comment = mistake.node.data.C?.[0]
      if (!comment?.includes(escaped(text))) {
        model.tree.set(mistake.node, 'C', [comment ? `${comment}\n\n${escaped(text)}` : escaped(text)])
      }
      let node = mistake.node.parent
      let color = mistake.color
      for (const move of mistake.pv) {
        node = model.append(node, color, fromGtp(move, model.size) ?? null)
        color = color === 'B' ? 'W' : 'B'
      }
    }
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
