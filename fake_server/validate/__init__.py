"""`mparticle-fake validate`: batches in files, checked without a server. Called by the command line.

`sources` reads bytes, `chunks` cuts them, `har` finds uploads in a browser's export, `examination` checks (in
worker processes too), `run` puts everything in order, `report` keeps what is shown, `text` and `formats` write it.
"""
