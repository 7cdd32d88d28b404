"""The board in the browser: `goengine web` serves a page on this machine only.

`command` starts the server and opens the page; `app` has its addresses, `guard` what it refuses, `hub` the pages that are open,
`client` one of them; `requests` checks what pages ask for. The engine runs in a process of its own: `engine_process` starts it
again when it dies, `worker` is that process, `worker_engines` its players and nets, `answers` what it finds as JSON. The page's
source is in `page/`, what a browser loads in `static/`. Imports nothing slow before it is used.
"""
