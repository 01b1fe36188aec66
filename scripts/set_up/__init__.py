"""`python -m scripts.set_up PURPOSE`: makes .venv hold what a purpose needs. Standard library only.

`purposes` says what there is, `locks` reads pins, `environment` examines and makes .venv, `stamps` remembers what is
done, `machine` refuses before anything is fetched, `pip_runs` and `packages` fetch and install, `failures` puts what
went wrong into words, `progress` shows how far it is, `setting_up` is the order of it all.
"""
