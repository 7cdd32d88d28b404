import {useEffect, useRef, useState} from 'preact/hooks'
import {NAME} from '../rules.js'

const CLOCKS = {
  none: [], absolute: ['main'], byoyomi: ['main', 'period', 'stones'], canadian: ['main', 'period', 'stones'],
  fischer: ['main', 'increment']
}
const TITLES = {main: 'Minutes', period: 'Seconds of a period', stones: 'Periods or stones', increment: 'Seconds added'}
const FIRST = {
  size: 19, rules: 'chinese', komi: '', handicap: 0, B: 'person', W: 'engine', level: 20, rank: '', seconds: 3, visits: '',
  Bnet: '', Wnet: '', clock: 'none', main: 10, period: 30, stones: 5, increment: 10, fromHere: false
}

export function NewGame({model}) {
  const dialog = useRef()
  const [form, set] = useState(() => ({...FIRST, Bnet: model.settings.net, Wnet: model.settings.net, ...model.settings.form}))
  useEffect(() => dialog.current.showModal(), [])
  const close = () => {
    model.dialog = ''
    model.changed()
  }
  const change = event => {
    const {name, type, value, checked} = event.target
    set({...form, [name]: type === 'checkbox' ? checked : value})
  }
  const begin = event => {
    event.preventDefault()
    const {fromHere, ...kept} = form
    model.set('form', kept)
    model.dialog = ''
    model.startGame(options(form, model.info))
    model.changed()
  }
  const engines = ['B', 'W'].filter(color => form[color] === 'engine')
  return (
    <dialog ref={dialog} onClose={close} aria-label="New game">
      <form method="dialog" onSubmit={begin} onInput={change}>
        <h2>New game</h2>
        <div class="fields">
          <Choice title="Board" name="size" value={form.size} options={[5, 7, 9, 11, 13, 15, 17, 19, 21, 25]} />
          <Choice title="Rules" name="rules" value={form.rules} options={Object.keys(model.info.rules)} />
          <Field title="Komi" name="komi" value={form.komi} min="-1000" max="1000" step="0.5" placeholder="usual" />
          <Field title="Handicap" name="handicap" value={form.handicap} min="0" max="9" />
          {['B', 'W'].map(color => (
            <Choice key={color} title={NAME[color]} name={color} value={form[color]} options={['person', 'engine']} />
          ))}
          {engines.map(color => (
            <label key={color}>{`${NAME[color]}'s net`} <select name={`${color}net`} value={form[`${color}net`]}>
              {model.info.nets.map(net => <option key={net.name} value={net.name}>{net.about}</option>)}
            </select></label>
          ))}
          {engines.length > 0 && (
            <>
              {model.info.ranks.length > 0 && (
                <label>Plays as people of <select name="rank" value={form.rank}>
                  <option value="">no rank, but a level</option>
                  {model.info.ranks.map(rank => <option key={rank} value={rank}>{rank}</option>)}
                </select></label>
              )}
              {form.rank === '' && <Field title="Level, 1 to 20" name="level" value={form.level} min="1" max="20" />}
              <Field title="Seconds a move" name="seconds" value={form.seconds} min="0.1" max="3600" step="0.1" />
              <Field title="Visits at most" name="visits" value={form.visits} min="1" max="100000" placeholder="any" />
            </>
          )}
          <Choice title="Clock" name="clock" value={form.clock} options={Object.keys(CLOCKS)} />
          {CLOCKS[form.clock].map(name => (
            <Field key={name} title={TITLES[name]} name={name} value={form[name]} min={name === 'stones' ? 1 : 0} max="1000" step="any" />
          ))}
          <label class="wide"><input type="checkbox" name="fromHere" checked={form.fromHere} /> from the position on the board</label>
        </div>
        <div class="controls">
          <button type="submit" class="main">Begin</button>
          <button type="button" onClick={() => dialog.current.close()}>Cancel</button>
        </div>
      </form>
    </dialog>
  )
}

function Choice({title, name, value, options: choices}) {
  return (
    <label>{title} <select name={name} value={value}>
      {choices.map(choice => <option key={choice} value={choice}>{choice}</option>)}
    </select></label>
  )
}

function Field({title, ...rest}) {
  return <label>{title} <input type="number" {...rest} /></label>
}

// What the form says, as a game takes it.
function options(form, info) {
  const number = (text, otherwise) => (text === '' || !Number.isFinite(Number(text)) ? otherwise : Number(text))
  const handicap = number(form.handicap, 0)
  const player = color => {
    if (form[color] === 'person') return {kind: 'person'}
    const rank = info.ranks.includes(form.rank) ? form.rank : ''
    const level = rank === '' ? Math.trunc(number(form.level, 20)) : 20
    return {
      kind: 'engine', net: form[`${color}net`], level, rank, visits: number(form.visits, null), time: number(form.seconds, 3)
    }
  }
  const name = color => {
    const {kind, net, level, rank} = player(color)
    return kind === 'person' ? '' : `goengine ${net || ''} ${rank || `level ${level}`}`.replace(/ +/g, ' ')
  }
  return {
    size: Number(form.size), rules: form.rules, handicap, fromHere: form.fromHere,
    komi: number(form.komi, handicap >= 2 ? 0.5 : info.rules[form.rules].komi),
    black: player('B'), white: player('W'), blackName: name('B'), whiteName: name('W'),
    clock: {
      kind: form.clock, main: 60 * number(form.main, 10), period: Math.max(1, number(form.period, 30)),
      stones: Math.max(1, Math.trunc(number(form.stones, 5))), increment: number(form.increment, 10)
    }
  }
}
