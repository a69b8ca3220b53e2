"""Pages in a browser. So far: the preview, on loopback, for whoever runs it.

door     who may come in: Host, token, cookie, Origin
desk     what they look at: one reader, one issue, one instant
frame    the mail itself, as a sandboxed frame shows it
sights   what the pages say of it
preview  the routes
serving  a socket and a server
"""
