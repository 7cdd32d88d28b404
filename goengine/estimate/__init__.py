"""How strong the players of games were, by how likely a ranked net finds their moves at each rank."""
