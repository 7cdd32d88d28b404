"""Many positions analysed in one process, and KataGo's JSON protocol on top of it.

`batch` advances many searches side by side, `waiting` says which begins next, `verdict` corrects dead stones and leads; they
know no protocol. `settings`, `query`, `answer`, `session` and `command` are `goengine analysis`.
"""
