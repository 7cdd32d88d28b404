"""A slow board that is plainly right: points are (row, column), stones a dict, chains and captures by searching.

The kernels are tested against it. It shares no code and no idea with them.
"""

BLACK, WHITE = 1, 2
PASS = None


class NaiveGame:
    """A game on a board of that size; ``ko`` is simple, positional or situational."""

    def __init__(self, size, ko="simple", suicide=False, stones=None, to_play=BLACK):
        self.size, self.ko, self.suicide, self.to_play = size, ko, suicide, to_play
        self.stones = dict(stones or {})
        self.captured = {BLACK: 0, WHITE: 0}
        self.past = [(self.key(self.stones), to_play)]  # every position so far, and who was to play in it
        self.mover = None  # who made the last move

    @staticmethod
    def key(stones):
        return frozenset(stones.items())

    def neighbours(self, point):
        row, column = point
        around = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
        return [(r, c) for r, c in around if 0 <= r < self.size and 0 <= c < self.size]

    def chain(self, stones, point):
        """The stones connected to the one on ``point``, and their liberties."""
        found, liberties, todo = {point}, set(), [point]
        while todo:
            for n in self.neighbours(todo.pop()):
                if n not in stones:
                    liberties.add(n)
                elif stones[n] == stones[point] and n not in found:
                    found.add(n)
                    todo.append(n)
        return found, liberties

    def after(self, color, point):
        """The stones after a move on an empty point, and those it takes off; nothing if it is suicide that is not allowed."""
        stones = {**self.stones, point: color}
        dead = set()
        for n in self.neighbours(point):
            if stones.get(n) == 3 - color:
                chain, liberties = self.chain(stones, n)
                dead |= set() if liberties else chain
        if not dead:
            chain, liberties = self.chain(stones, point)
            if not liberties:
                if not self.suicide or len(chain) == 1:
                    return None
                dead = chain
        return {p: c for p, c in stones.items() if p not in dead}, dead

    def is_legal(self, color, point):
        if point is PASS:
            return True
        if point in self.stones or not self.after(color, point):
            return False
        key = self.key(self.after(color, point)[0])
        retakes = len(self.past) > 1 and self.past[-1][0] != self.past[-2][0] and key == self.past[-2][0]
        if retakes and color != self.mover:
            return False  # who took the ko may fill it
        if self.ko == "positional":
            return all(key != old for old, _ in self.past)
        return self.ko == "simple" or (key, 3 - color) not in self.past

    def play(self, color, point):
        """Play a legal move."""
        if point is not PASS:
            before = {**self.stones, point: color}
            self.stones, dead = self.after(color, point)
            for p in dead:
                self.captured[before[p]] += 1
        self.to_play, self.mover = 3 - color, color
        self.past.append((self.key(self.stones), self.to_play))

    def turn(self, color):
        """Let that colour play next."""
        self.to_play = color
        self.past[-1] = self.past[-1][0], color

    def points(self):
        return [(row, column) for row in range(self.size) for column in range(self.size)]
