"""What every stage of training shares: the loop, losses, optimizers, devices, checkpoints, options."""
