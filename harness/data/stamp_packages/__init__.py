"""Pictures and sounds of Tux Paint and GCompris: where they lie, what they show, how they split."""
