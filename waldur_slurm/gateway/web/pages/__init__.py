"""The dashboard, `/ui`: pages for people, made of what the native API reads and decides.

How a page is added:

1. Its handler, in a module of its own here: `@page` around `async def show_things(ask: Ask)`, which
   reads by the native modules (`ask.see`, `native/...`, `picture/...`; nothing is read in a way of
   its own) and returns `await shown(ask, "things.html", title="Things", ...)`. What it is asked
   with is a `msgspec.Struct` read by `ask.query`: the address is all the state that there is.
2. Its template in `templates/`, which extends `layout.html` and uses `macros.html`: tables in
   `<div class="scroll">`, filters in a form of method GET, numbers in cells of class `n`. No style
   and no script in it: the policy lets neither run. What changes by itself has `data-live` and an
   id; `static/app.js` asks for the page again and exchanges it.
3. Its row in `page_routes.py`, with the scope that it takes, and its entry in `nav.py`.
4. What is done is a form of method POST with `{{ form_token() }}`, and its handler calls
   `await read_form(ask)` first, which holds it to that; it ends with `redirected(...)`.
5. `tests/unit/gateway/web/pages/` asks for it within the process, `tests/e2e/gateway/test_pages.py`
   has it in `PAGES`, so that a real browser looks at it in both themes, by keyboard, and axe too.
"""
