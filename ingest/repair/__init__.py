"""Gap repair: frames that never came are had again from the history that their network server keeps.

    store.gaps -> windows -> Archive.read -> what the live path would have heard -> Writer.store

One module for each kind of history; `docs/how-to/repair-gaps.md` is for who uses it.
"""
