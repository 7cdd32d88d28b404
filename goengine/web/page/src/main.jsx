import {render} from 'preact'
import {Model} from './model.js'
import {openTab} from './store.js'
import {App} from './view/app.jsx'

const place = document.getElementById('app')

async function begin() {
  const [info, {tab, state}] = await Promise.all([fetch('/info').then(response => response.json()), openTab()])
  const model = new Model(tab, info, state)
  render(<App model={model} />, place)
}

begin().catch(error => {
  place.textContent = `The page cannot start: ${error.message}. Is goengine web still running?`
})
