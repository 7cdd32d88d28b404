import {useEffect} from 'preact/hooks'

// Keys: arrows, Home and End move through the game, U takes back, P passes, A switches the analysis.
const ACTIONS = {
  ArrowLeft: model => model.step(-1),
  ArrowRight: model => model.step(1),
  PageUp: model => model.step(-10),
  PageDown: model => model.step(10),
  ArrowUp: model => model.toVariation(-1),
  ArrowDown: model => model.toVariation(1),
  Home: model => model.go(model.tree.root),
  End: model => model.go(model.line.at(-1)),
  u: model => model.undo(),
  p: model => model.pass(),
  a: model => model.analysis.toggle()
}

export function useKeys(model) {
  useEffect(() => {
    const press = event => {
      if (event.ctrlKey || event.metaKey || event.altKey || model.dialog) return
      if (event.target.closest?.('input:not([type=checkbox]), textarea, select')) return
      const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key]
      if (!action) return
      event.preventDefault()
      model.error = ''
      action(model)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [model])
}
