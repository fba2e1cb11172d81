"""The hand: the program that acts as another user, in one root-owned file. Standard library only.

Who wants something done as somebody (a gateway, never root) starts it, or connects to it, and asks
for one thing; `wire` has the conversation. What may be asked is a closed grammar (`requests`;
`options` for Slurm's tools), for whom and where is root's `hand.conf` (`conf`, `people`, `paths`).
Whatever is outside of either is refused before anything runs.

The order of every act, whichever way it came (`__main__`):

    read hand.conf, which only root can have written        trusted, conf
    be sure who asks                                        __main__, service
    read the one request, whole, and find its grammar       conversation, requests
    be the user, and nobody else, as after a fresh login    people, login
    do it, below the user's roots                           files, trees, zip_in, zip_out, tools

Nothing here imports another part of the project, so that `pack` can put it into one zip file for a
root-owned interpreter. It imports little and late: an act waits for every module.
"""
