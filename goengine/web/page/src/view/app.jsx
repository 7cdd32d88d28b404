import {useEffect, useReducer, useRef, useState} from 'preact/hooks'
import {BoardView} from './board.jsx'
import {Clocks} from './clocks.jsx'
import {Controls, Navigation, Tools} from './controls.jsx'
import {Graph} from './graph.jsx'
import {useKeys} from './keys.js'
import {NewGame} from './newgame.jsx'
import {AnalysisPanel, CountPanel, ReviewPanel} from './panels.jsx'
import {PictureDialog} from './picture.jsx'
import {TreeView} from './treeview.jsx'
import {plain} from '../sgf.js'

export function App({model}) {
  const [, changed] = useReducer(count => count + 1, 0)
  const [shown, show] = useState(null) // the line of play that the pointer is on
  useEffect(() => model.listen(changed), [model])
  useKeys(model)
  useEffect(() => {
    const paste = event => event.clipboardData?.files[0] && model.open(event.clipboardData.files[0])
    addEventListener('paste', paste)
    return () => removeEventListener('paste', paste)
  }, [model])
  useEffect(() => {
    document.documentElement.dataset.theme = model.settings.theme
  }, [model.settings.theme])
  return (
    <div class="page" onDragOver={event => event.preventDefault()} onDrop={event => drop(event, model)}>
      <Top model={model} />
      <Banner model={model} />
      <main>
        <section class="left" aria-label="Board">
          <BoardView model={model} line={shown} show={show} />
          <Status model={model} />
          <Controls model={model} />
          <Navigation model={model} />
        </section>
        <section class="right" aria-label="Game">
          <Clocks model={model} />
          <CountPanel model={model} />
          <AnalysisPanel model={model} show={show} />
          <Graph model={model} />
          <TreeView model={model} />
          <ReviewPanel model={model} show={show} />
          <Comment model={model} />
          <Tools model={model} />
        </section>
      </main>
      {model.dialog === 'new' && <NewGame model={model} />}
      {model.dialog === 'picture' && <PictureDialog model={model} />}
    </div>
  )
}

function Top({model}) {
  const file = useRef()
  const camera = useRef()
  const chosen = event => {
    if (event.currentTarget.files[0]) model.open(event.currentTarget.files[0])
    event.currentTarget.value = ''
  }
  return (
    <header>
      <h1>goengine</h1>
      <nav aria-label="File and view">
        <button onClick={() => open(model, 'new')}>New game</button>
        <button onClick={() => file.current.click()}>Open</button>
        <input
          ref={file} type="file" accept=".sgf,application/x-go-sgf,image/*" hidden aria-label="SGF file" onChange={chosen}
        />
        <button onClick={() => camera.current.click()} title="Read the position from a photo, a screenshot or a diagram">
          Picture
        </button>
        <input
          ref={camera} type="file" accept="image/*" capture="environment" hidden aria-label="Picture of a board" onChange={chosen}
        />
        <button onClick={() => model.download()}>Save</button>
        <button aria-pressed={model.analysis.on} onClick={() => model.analysis.toggle()}>Analysis</button>
        <button onClick={() => (model.analysis.review ? stopReview(model) : model.analysis.startReview())}>
          {model.analysis.review ? 'Stop review' : 'Review'}
        </button>
        <label class="select">
          <span class="hidden">Colours of the page</span>
          <select value={model.settings.theme} onChange={event => model.set('theme', event.currentTarget.value)}>
            <option value="auto">Auto</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
      </nav>
    </header>
  )
}

function open(model, dialog) {
  model.dialog = dialog
  model.changed()
}

function stopReview(model) {
  model.analysis.stopReview()
  model.changed()
}

function drop(event, model) {
  event.preventDefault()
  const [file] = event.dataTransfer.files
  if (file) model.open(file)
}

function Banner({model}) {
  const {engine, text} = model.engine
  return (
    <div class="banner" role="alert" hidden={engine === 'ready'} data-engine={engine}>
      {engine === 'ready' ? '' : text}
    </div>
  )
}

// What has happened, for everybody; `said` is read aloud.
function Status({model}) {
  const {play} = model
  const thinking = play.active && play.thinking && model.engine.engine === 'ready'
  const text = play.counting ? 'Count: mark dead stones.' : thinking ? 'The engine thinks ...' : play.over
  return (
    <div class="status">
      <p class="said" role="status" aria-live="polite">{model.said}</p>
      <p class="state">{text && text !== model.said ? text : ''}</p>
      {model.error && <p class="error" role="alert">{model.error}</p>}
    </div>
  )
}

const LONGEST_COMMENT = 100_000 // letters that a field shows without delay

function Comment({model}) {
  const text = plain(model.node.data.C?.[0])
  const long = text.length > LONGEST_COMMENT
  return (
    <label class="panel comment">
      {long ? `The first ${LONGEST_COMMENT} letters of ${text.length}` : 'Comment'}
      <textarea
        rows="3" readOnly={long} value={text.slice(0, LONGEST_COMMENT)}
        onInput={event => model.comment(event.currentTarget.value)}
      />
    </label>
  )
}
