"""The ten mistakes that a gateway before Slurm can make, and what shows that it does not.

1.  A door without a lock: `test_doors`, `test_doors_of_apps`.
2.  Believing who one says that one is: `test_claims`, `test_compromised_store`.
3.  A helper that runs anything, half dressed: `hand/test_fuzz`, `hand/test_login`,
    `hand/test_compromised_gateway`.
4.  Leaving the directory: `hand/test_swaps`, `hand/test_archives`.
5.  A grammar within a grammar: `test_words_of_a_job`, `test_words_of_an_app`.
6.  Believing Slurm's text: `test_slurms_text`.
7.  One cache for all eyes: `test_one_cache`.
8.  Secrets that travel: `test_secrets`.
9.  Falling over: `test_crowd`, `test_bounds`.
10. The deputy and the browser: `test_answers`, `test_deputy`, `test_browser`.

Each in two sizes, as all tests of trust; what was tried is summed up at the end of a run.
"""
