"""Where the files of runs are kept that other hosts need: a folder that all share, or an S3-compatible store.

An attempt always writes on its own machine first. What a record of the database names is whole; what none names is
rubbish of a lost attempt, whoever wrote it.
"""
