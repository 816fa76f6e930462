"""The web server of `review`: one page for a browser on this machine, and who may ask for it.

It promises that no request gets past the guard that does not come from the page that this server gave out, and that
nothing but plain values goes to and from the rest of the program, through a `ReviewService`. It knows no SQL, no pixels
and no disk. Only this package imports starlette and uvicorn, which are the extra `review`.

Decision 0047: Starlette and uvicorn, behind a guard of our own.
"""
