"""rmitrace: decode and show the SMC traffic between a Linux/KVM host and the Arm CCA RMM."""

import os

__version__ = "0.1.0"

# numpy's linear algebra, which nothing here needs, else starts threads as it is imported: that took twice as long
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
