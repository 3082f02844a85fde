"""rmitrace: decode and show the SMC traffic between a Linux/KVM host and the Arm CCA RMM."""

__version__ = "0.1.0"
