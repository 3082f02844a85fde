"""From the files of a capture to records, calls and what they mean."""
