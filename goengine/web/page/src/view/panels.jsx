import {verdict} from '../play.js'
import {NAME} from '../rules.js'

export function CountPanel({model}) {
  const {play} = model
  if (!play.counting) return null
  const {count} = play
  return (
    <div class="panel count" role="group" aria-label="Count">
      {count.result ? (
        <>
          <p><strong>{verdict(count.result)}</strong></p>
          <p>
            Black {count.black}, White {count.white} and {count.bonus} for komi. Click stones to mark them as dead or alive;{' '}
            {count.dead.length} are dead.
          </p>
        </>
      ) : <p>The engine looks for dead stones ...</p>}
      {!play.game.free && <button onClick={() => play.agree()} disabled={!count.result}>Agree</button>}
      <button onClick={() => play.resume()}>{play.game.free ? 'Close' : 'Play on'}</button>
    </div>
  )
}

const percent = share => `${(100 * share).toFixed(1)} %`

export function AnalysisPanel({model, show}) {
  const {settings, analysis} = model
  const report = analysis.report
  const black = model.boards.toPlay(model.node) === 'B'
  return (
    <div class="panel analysis" role="group" aria-label="Analysis">
      <div class="controls">
        <Check model={model} name="candidates">Moves</Check>
        <Check model={model} name="ownership">Owners</Check>
        <Check model={model} name="policy">Policy</Check>
        <label>Net <select value={settings.net} onChange={event => model.set('net', event.currentTarget.value)}>
          {model.info.nets.map(net => <option key={net.name} value={net.name}>{net.about}</option>)}
        </select></label>
        <label>Visits <select
          value={settings.analysisVisits} onChange={event => model.set('analysisVisits', Number(event.currentTarget.value))}
        >
          {[50, 200, 1000, 5000, 20000, 100000].map(count => <option key={count} value={count}>{count}</option>)}
        </select></label>
      </div>
      {analysis.on && report?.moves && (
        <table>
          <caption>{report.visits} visits, {NAME[black ? 'B' : 'W']} to play</caption>
          <thead><tr><th>Move</th><th>Wins</th><th>Lead</th><th>Visits</th><th>Line</th></tr></thead>
          <tbody>
            {report.moves.slice(0, 6).map(move => (
              <tr key={move.move} onMouseEnter={() => show(move.pv)} onMouseLeave={() => show(null)}>
                <td>{move.move}</td>
                <td>{percent(black ? move.winrate : 1 - move.winrate)}</td>
                <td>{(black ? move.lead : -move.lead).toFixed(1)}</td>
                <td>{move.visits}</td>
                <td class="pv">{move.pv.slice(1, 6).join(' ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function Check({model, name, children}) {
  const set = event => model.set(name, event.currentTarget.checked)
  return <label><input type="checkbox" checked={model.settings[name]} onChange={set} /> {children}</label>
}

const SHOWN = 10

export function ReviewPanel({model, show}) {
  const {review, mistakes, figures} = model.analysis
  if (!review && !figures) return null
  return (
    <div class="panel review" role="group" aria-label="Review">
      {review ? (
        <label>
          Review: {review.done.size} of {review.total} <progress value={review.done.size} max={review.total} />
        </label>
      ) : (
        <>
          <Figures figures={figures} />
          <div class="mistakes">
            {['B', 'W'].map(color => (
              <Mistakes key={color} model={model} show={show} color={color} list={mistakes.filter(m => m.color === color)} />
            ))}
          </div>
          <button onClick={() => model.analysis.annotate()}>Write into the game</button>
        </>
      )}
    </div>
  )
}

// Accuracy, mean loss and agreement of both sides, by phase.
function Figures({figures}) {
  return (
    <table class="figures">
      <thead><tr><th /><th /><th>Moves</th><th>Accuracy</th><th>Loss</th><th>As engine</th></tr></thead>
      <tbody>
        {['B', 'W'].flatMap(color => Object.entries(figures[color]).map(([phase, found]) => (
          <tr key={color + phase}>
            <td>{phase === 'all' ? NAME[color] : ''}</td>
            <td>{phase}</td>
            <td>{found.moves}</td>
            <td>{found.accuracy.toFixed(0)} %</td>
            <td>{found.mean_loss.toFixed(2)}</td>
            <td>{percent(found.agreement)}</td>
          </tr>
        )))}
      </tbody>
    </table>
  )
}

// Points, or chances where no points are lost for sure.
const lost = ({points, chances}) => (points >= 0.05 ? points.toFixed(1) : `${(100 * chances).toFixed(0)} %`)

function Mistakes({model, show, color, list}) {
  return (
    <div>
      <h2>{NAME[color]}'s mistakes ({list.length})</h2>
      <ol>
        {list.slice(0, SHOWN).map(mistake => (
          <li key={mistake.turn}>
            <button
              onClick={() => {
                model.go(mistake.node.parent)
                show(mistake.pv)
              }}
              onMouseLeave={() => show(null)} onBlur={() => show(null)}
              title={mistake.text} aria-label={`Before move ${mistake.turn}, ${mistake.move}: ${mistake.text}`}
            >
              {mistake.turn}. {mistake.move} −{lost(mistake)} ({mistake.pv[0]})
            </button>
          </li>
        ))}
      </ol>
    </div>
  )
}
