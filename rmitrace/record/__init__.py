"""Making a capture: a shell script for the target, run there, over ssh, or beside QEMU. Knows nothing of reading captures."""
