"""Games as sentences: moves as tokens, and models that say the next one. No torch here."""
