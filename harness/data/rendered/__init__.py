"""The parts that make the clips of `rendered_sentiment`; nothing in here is registered."""
