"""Captures that grow: a file that is written to, trace_pipe, a pipe. What is new is read, and only that."""
