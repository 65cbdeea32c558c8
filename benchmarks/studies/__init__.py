"""Questions that were answered once, and can be asked again; `make bench` does not run them.

`python -m benchmarks.studies NAME` prints the answer as JSON:

* `before_after`: what surviving a kill costs, beside this repository's own past.
* `durability`: what it costs to lose nothing, beside a store that forgets.
* `parked`: ten thousand tasks that wait for their callers, and one of them answered.
* `footprint`: what an install weighs, an import costs and an idle server holds.
* `polyglot`: what a send in 1.0 and an import cost more because other generations and gRPC are there.

`python -m benchmarks.studies.http_clients` has options of its own: which HTTP library the client stands on.
"""
