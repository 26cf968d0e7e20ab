"""Consumer-driven contracts: recorded through generated clients, verified against the running platform.

`interactions` what a consumer expects, as data, and `expectations` those of the platform; `recording` turns them into
pact files, `recorded` compares these with what is in git. `states`, `side` and `verifying` hold a running platform to
them. `exchanges`, `judging` and `fuzzing` look at the gateway; `coverage` counts, `tables` and `page` show it.
`ledger` and `deploying` answer whether a version may be deployed. `suite` is `make contract-test`.
"""
