"""Pages in a browser. So far: the preview, on loopback, for whoever runs it.

door     who may come in: Host, token, cookie, Origin
choices  what an address says   forms    what is posted
desk     what they look at: one reader, one issue, one instant
drafts   a profile that is tried   changes  what it changes
frame    the mail itself, as a sandboxed frame shows it
checks   its weight, and what some programs (clients) do not show
copies   it as one file          picture  it as a picture, by Chromium
watching files that change       sights, entries, trial, told: what pages say
preview  the routes
serving  a socket and a server
"""
