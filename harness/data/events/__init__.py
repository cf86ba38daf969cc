"""The parts that make the clips of `rendered_events`; nothing in here is registered."""
