"""Several hosts on one machine: each has processes, a folder and (as root) a name and process space of its own.

They share a PostgreSQL database, a broker and a bucket, and nothing else.
"""
