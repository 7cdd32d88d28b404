"""What scores say about strength: Elo differences with intervals, ratings of many players, the SPRT. Pure numbers."""
