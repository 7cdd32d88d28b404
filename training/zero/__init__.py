"""A run of learning by self-play: the learner, its replay window, published nets, ratings, processes."""
