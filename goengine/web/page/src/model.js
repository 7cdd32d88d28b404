// The page's state and everything that changes it; the views only show it. One object, told to its listeners.

import {Analysis} from './analysis.js'
import {Play} from './play.js'
import {Live} from './live.js'
import {correctable, isPicture, nextSign, readPicture, treeOf} from './picture.js'
import {Boards, NAME, moveOf, toGtp, vertexOf, toSgf} from './rules.js'
import {MAX_BYTES, decode, escaped, parse, plain, stringify} from './sgf.js'
import {readSettings, write, writeSettings, writeToServer} from './store.js'
import {Tree, lineThrough, next} from './tree.js'

const DEFAULTS = {
  theme: 'auto', coordinates: true, analysisVisits: 1000, reviewVisits: 100, net: '',
  candidates: true, ownership: false, policy: false
}

export class Model {
  constructor(tab, info, kept) {
    this.tab = tab
    this.info = info
    this.settings = {...DEFAULTS, net: info.net, ...readSettings()}
    if (!info.nets.some(net => net.name === this.settings.net)) this.settings.net = ''
    this.engine = {engine: 'starting', text: 'The engine starts.'}
    this.said = '' // for screen readers
    this.error = ''
    this.tool = 'play'
    this.dialog = ''
    this.picture = null // that is being corrected: {url, width, height, boards, chosen, corrected}
    this.pictureError = ''
    this._listeners = new Set()
    this.use(newTree(19, 'chinese', 7.5))
    this.analysis = new Analysis(this)
    this.play = new Play(this)
    if (kept) this._restore(kept)
    this.live = new Live(state => {
      if (state.engine === 'refused') this.error = state.text
      else this.engine = state
      this.changed()
    })
    this.analysis.refresh()
    addEventListener('pagehide', () => writeToServer(this.tab, this.save()))
  }

  // -- listeners --

  listen(listener) {
    this._listeners.add(listener)
    return () => this._listeners.delete(listener)
  }

  changed() {
    for (const listener of this._listeners) listener()
    clearTimeout(this._saving)
    this._saving = setTimeout(() => this.save(), 200)
  }

  say(text) {
    this.said = text
  }

  // -- the tree --

  use(tree, node = tree.root) {
    this.boards = new Boards(tree)
    this.tree = tree
    this.node = node
    this.last = new Map() // by node: the child that was visited last
  }

  get size() {
    return this.boards.size
  }

  get rules() {
    const text = plain(this.tree.root.data.RU?.[0])
    const known = Object.entries(this.info.rules).find(([name, rules]) => name === text || rules.sgf === text)
    return known ? known[1] : this.info.rules.chinese
  }

  get line() {
    return lineThrough(this.node, this.last)
  }

  go(node, silent = false) {
    if (!node || node === this.node) return
    this.node = node
    this.error = ''
    for (let n = node; n.parent; n = n.parent) this.last.set(n.parent.id, n)
    if (!silent) this.announce(node)
    this.analysis.refresh()
    this.changed()
  }

  announce(node) {
    const color = moveOf(node)
    const move = color ? `${NAME[color]} ${toGtp(vertexOf(node, this.size), this.size)}` : 'Start'
    const comment = plain(node.data.C?.[0])
    this.say(comment ? `${move}. ${comment.slice(0, 500)}` : move)
  }

  step(count) {
    let node = this.node
    for (let i = 0; i < Math.abs(count); i++) node = (count > 0 ? next(node, this.last) : node.parent) ?? node
    this.go(node)
  }

  toVariation(step) {
    const siblings = this.node.parent?.children ?? []
    this.go(siblings[siblings.indexOf(this.node) + step])
  }

  // A move where the tree stands: an old child if there is one.
  append(parent, color, vertex) {
    const value = toSgf(vertex)
    const same = parent.children.find(child => moveOf(child) === color && plain(child.data[color][0]) === value)
    return same ?? this.tree.append(parent, {[color]: [value]})
  }

  // What a click on a point does.
  click(vertex) {
    this.error = ''
    if (this.play.counting) this.play.toggleDead(vertex)
    else if (this.tool !== 'play') this.edit(vertex)
    else if (this.play.active) this.play.person(vertex)
    else this.free(vertex)
  }

  // A move of an analysis, for whoever is to play.
  free(vertex) {
    const color = this.boards.toPlay(this.node)
    const reason = this.boards.whyIllegal(this.node, color, vertex, this.rules)
    if (reason) this.fail(`${toGtp(vertex, this.size)}: ${reason}.`)
    else this.go(this.append(this.node, color, vertex))
  }

  fail(text) {
    this.error = text
    this.say(text)
    this.changed()
  }

  undo() {
    if (this.play.active) this.play.undo()
    else if (this.node.parent && this.node.children.length === 0 && moveOf(this.node)) this.removeNode()
    else this.step(-1)
  }

  pass() {
    if (this.play.active) this.play.person(null)
    else this.free(null)
  }

  removeNode() {
    const {parent} = this.node
    if (!parent || this.play.active) return
    this.tree.remove(this.node)
    this.go(parent)
  }

  // -- editing --

  edit(vertex) {
    const value = toSgf(vertex)
    if (['AB', 'AW', 'AE'].includes(this.tool)) this._setStone(value, vertex)
    else if (this.tool === 'LB') this._label(value)
    else this._toggle(this.tool, value)
    this.analysis.refresh()
    this.changed()
  }

  _setStone(value, vertex) {
    if (this.play.active) return
    if (moveOf(this.node)) this.node = this.tree.append(this.node, {}) // SGF: moves and set-up stand in different nodes
    const {node} = this
    for (const name of ['AB', 'AW', 'AE']) this.tree.set(node, name, (node.data[name] ?? []).filter(v => v !== value))
    const stood = this.boards.at(node).get(vertex)
    const wanted = {AB: 1, AW: -1, AE: 0}[this.tool]
    if (stood !== wanted) this.tree.set(node, this.tool, [...(node.data[this.tool] ?? []), value])
  }

  _toggle(name, value) {
    const values = this.node.data[name] ?? []
    this.tree.set(this.node, name, values.includes(value) ? values.filter(v => v !== value) : [...values, value])
  }

  _label(value) {
    const labels = this.node.data.LB ?? []
    const others = labels.filter(label => !label.startsWith(value + ':'))
    const used = new Set(others.map(label => label.slice(value.length + 1)))
    const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].find(letter => !used.has(letter))
    this.tree.set(this.node, 'LB', others.length < labels.length || !free ? others : [...others, `${value}:${free}`])
  }

  comment(text) {
    this.tree.set(this.node, 'C', text === '' ? [] : [escaped(text)])
    this.changed()
  }

  // -- files --

  async open(file) {
    if (isPicture(file)) {
      await this.openPicture(file)
      return
    }
    if (file.size > MAX_BYTES) {
      this.fail(`${file.name}: longer than ${MAX_BYTES / 1e6} MB, so it is not read.`)
      return
    }
    this.load(new Uint8Array(await file.arrayBuffer()), file.name)
  }

  load(bytes, name) {
    try {
      const {text, foreign} = decode(bytes)
      const games = parse(text)
      games.forEach(game => foreign && game.set(game.root, 'CA', ['UTF-8']))
      const boards = new Boards(games[0])
      boards.at(games[0].root)
      this.play.stop()
      this.analysis.forget()
      this.use(games[0])
      this.games = games
      this.error = ''
      this.name = name
      this.say(`${name} is open: ${lineThrough(this.tree.root).length - 1} moves.`)
      this.analysis.refresh()
      this.changed()
    } catch (error) {
      this.fail(`${name}: ${error.message}`)
    }
  }

  // -- pictures of boards --

  async openPicture(file) {
    this.error = ''
    this.say('The picture is read ...')
    this.changed()
    try {
      const answer = await readPicture(file)
      this.closePicture()
      this.picture = {...answer, chosen: 0, corrected: answer.boards.map(correctable)}
      this.dialog = 'picture'
      this.say(`A board of ${answer.boards[0].size} by ${answer.boards[0].size} was read.`)
      this.changed()
    } catch (error) {
      this.fail(`${file.name || 'Picture'}: ${error.message}`)
    }
  }

  chooseBoard(index) {
    this.picture.chosen = index
    this.pictureError = ''
    this.changed()
  }

  correct([x, y]) {
    const {signs} = this.picture.corrected[this.picture.chosen]
    this.picture.corrected[this.picture.chosen].signs = signs.map((line, row) => (
      row === y ? line.map((sign, column) => (column === x ? nextSign(sign) : sign)) : line
    ))
    this.pictureError = ''
    this.changed()
  }

  correctTurn(color) {
    this.picture.corrected[this.picture.chosen].toPlay = color
    this.changed()
  }

  // The game begins with the corrected position.
  usePicture() {
    const {boards, corrected, chosen} = this.picture
    try {
      const {sgf, komi} = this.info.rules.chinese
      const tree = treeOf(boards[chosen], corrected[chosen], sgf, komi)
      this.play.stop()
      this.analysis.forget()
      this.games = undefined
      this.name = undefined
      this.use(tree)
      this.closePicture()
      this.say(`The position of the picture. ${NAME[corrected[chosen].toPlay]} to play.`)
      this.analysis.refresh()
      this.changed()
    } catch (error) {
      this.pictureError = error.message
      this.changed()
    }
  }

  closePicture() {
    if (this.picture) URL.revokeObjectURL(this.picture.url)
    this.picture = null
    this.pictureError = ''
    if (this.dialog === 'picture') this.dialog = ''
    this.changed()
  }

  chooseGame(index) {
    try {
      new Boards(this.games[index])
    } catch (error) {
      this.fail(error.message)
      return
    }
    this.analysis.forget()
    this.use(this.games[index])
    this.analysis.refresh()
    this.changed()
  }

  // The text of all games of the file.
  get text() {
    const games = this.games?.includes(this.tree) ? this.games : [this.tree]
    return games.map(game => stringify(game).text).join('')
  }

  download() {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([this.text], {type: 'application/x-go-sgf'}))
    link.download = this.name ?? `goengine-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-')}.sgf`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  }

  startGame(options) {
    if (options.fromHere) {
      this.play.begin(options, this.node)
      return
    }
    this.analysis.forget()
    this.games = undefined
    this.name = undefined
    this.use(newTree(options.size, this.info.rules[options.rules].sgf, options.komi, options.handicap, options))
    this.play.begin(options, this.node)
  }

  // -- keeping --

  set(name, value) {
    this.settings = {...this.settings, [name]: value}
    writeSettings(this.settings)
    this.analysis.refresh()
    this.changed()
  }

  save() {
    const {text, order} = stringify(this.tree)
    const place = new Map(order.map((node, index) => [node, index]))
    const state = {
      sgf: text,
      node: place.get(this.node) ?? 0,
      name: this.name,
      others: this.games?.length > 1 ? this.games.map(game => (game === this.tree ? '' : stringify(game).text)) : undefined,
      evals: this.analysis.keep(place),
      analysing: this.analysis.on,
      game: this.play.keep(place)
    }
    const kept = write(this.tab, state)
    clearTimeout(this._sending)
    this._sending = setTimeout(() => writeToServer(this.tab, kept), 1000)
    return kept
  }

  _restore(kept) {
    try {
      const [tree] = parse(kept.sgf)
      const {order} = stringify(tree)
      this.use(tree, order[kept.node])
      this.games = kept.others?.map(text => (text === '' ? tree : parse(text)[0]))
      this.name = kept.name
      this.analysis.restore(kept.evals, order, kept.analysing)
      this.play.restore(kept.game, order)
    } catch (error) {
      this.use(newTree(19, 'chinese', 7.5))
      this.error = `What this tab kept cannot be read: ${error.message}`
    }
  }
}

const pad = n => String(n).padStart(2, '0')

function newTree(size, rules, komi, handicap = 0, names = {}) {
  const now = new Date()
  const tree = new Tree({
    GM: ['1'], FF: ['4'], CA: ['UTF-8'], AP: ['goengine'], SZ: [String(size)], RU: [rules], KM: [String(komi)],
    DT: [`${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}`]
  })
  if (names.blackName) tree.set(tree.root, 'PB', [escaped(names.blackName)])
  if (names.whiteName) tree.set(tree.root, 'PW', [escaped(names.whiteName)])
  const points = handicap >= 2 ? new Boards(tree).at(tree.root).getHandicapPlacement(handicap) : []
  if (points.length > 0) {
    tree.set(tree.root, 'HA', [String(points.length)])
    tree.set(tree.root, 'AB', points.map(toSgf))
    tree.set(tree.root, 'PL', ['W'])
  }
  return tree
}
