"""Personal information: what a span of each kind is, where the spans of a batch are, and how they are masked."""
