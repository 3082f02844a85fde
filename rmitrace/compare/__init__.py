"""Two captures laid beside each other by call and step, addresses taken for what they are.

compare_captures(a, b)   the comparison: rows, sequences, and what differs
Comparison, Row, Difference
"""

from .comparison import WHAT, Comparison, compare_captures
from .objects import roles
from .pages import objects_in
from .registers import role
from .rows import Row
from .values import Difference

__all__ = ["WHAT", "Comparison", "Difference", "Row", "compare_captures", "objects_in", "role", "roles"]
