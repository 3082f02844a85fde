"""Writers of a capture: text, JSON lines, CSV, and the timeline as text."""
