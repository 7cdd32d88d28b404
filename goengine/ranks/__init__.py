"""How strong players are: ranks as numbers on one scale, and what a net is told of them. Knows no nets and no boards."""
